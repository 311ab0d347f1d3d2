// A goroutine for each request waits for an answer that never comes, with its buffer.
package main

import (
	"os"
	"runtime"
	"strconv"
	"time"
)

func main() {
	s, _ := strconv.ParseFloat(os.Getenv("REAL_S"), 64)
	end := time.Now().Add(time.Duration(s * 1e9))
	for time.Now().Before(end) {
		go func() {
			b := make([]byte, 50000)
			for i := range b {
				b[i] = 1
			}
			answer := make(chan int)
			<-answer
			runtime.KeepAlive(b)
		}()
		time.Sleep(10 * time.Millisecond)
	}
}
