// A service that answers and keeps nothing.
package main

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	s, _ := strconv.ParseFloat(os.Getenv("REAL_S"), 64)
	go http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(strings.Repeat(r.URL.Path, 5000)))
	}))
	time.Sleep(time.Duration(s * 1e9))
}
