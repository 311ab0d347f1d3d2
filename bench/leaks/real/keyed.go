// Answers are kept in a map by the request's own key, and none is ever dropped.
package main

import (
	"os"
	"strconv"
	"time"
)

func main() {
	s, _ := strconv.ParseFloat(os.Getenv("REAL_S"), 64)
	end := time.Now().Add(time.Duration(s * 1e9))
	answers := map[string][]byte{}
	for n := 0; time.Now().Before(end); n++ {
		b := make([]byte, 50000)
		for j := range b {
			b[j] = byte(n)
		}
		answers["request-"+strconv.Itoa(n)] = b
		time.Sleep(12 * time.Millisecond)
	}
}
