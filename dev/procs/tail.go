package procs

import (
	"bytes"
	"sync"
)

// Tail keeps the end of what is written to it.
type Tail struct {
	mu sync.Mutex
	b  []byte
}

const keepTail = 16 << 10

func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keep(p)
	return len(p), nil
}

func (t *Tail) keep(p []byte) {
	t.b = append(t.b, p...)
	if len(t.b) > 2*keepTail {
		t.b = bytes.Clone(t.b[len(t.b)-keepTail:])
	}
}

// Last is at most the last n bytes, of 16 KB that are surely kept.
func (t *Tail) Last(n int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b[max(0, len(t.b)-n):])
}
