// Buffers from a sync.Pool for each piece of work, below GOMEMLIMIT.
package main

import (
	"os"
	"strconv"
	"sync"
	"time"
)

var buffers = sync.Pool{New: func() any { return make([]byte, 200000) }}

func main() {
	s, _ := strconv.ParseFloat(os.Getenv("REAL_S"), 64)
	end := time.Now().Add(time.Duration(s * 1e9))
	for n := 0; time.Now().Before(end); n++ {
		var wait sync.WaitGroup
		for i := 0; i < 4; i++ {
			wait.Add(1)
			go func() {
				b := buffers.Get().([]byte)
				for j := range b {
					b[j] = byte(n)
				}
				time.Sleep(5 * time.Millisecond)
				buffers.Put(b)
				_ = make([]byte, 100000)
				wait.Done()
			}()
		}
		wait.Wait()
		time.Sleep(10 * time.Millisecond)
	}
}
