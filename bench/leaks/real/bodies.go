// Bodies of answers are not closed, so each request opens a connection that stays.
package main

import (
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	s, _ := strconv.ParseFloat(os.Getenv("REAL_S"), 64)
	end := time.Now().Add(time.Duration(s * 1e9))
	for time.Now().Before(end) {
		if r, err := http.Get("http://127.0.0.1:" + os.Getenv("PORT") + "/"); err == nil && r.StatusCode != 200 {
			os.Exit(1)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
