package soak

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// sample is how large a process is at one moment.
type sample struct {
	at         time.Duration
	rss        float64 // MB
	threads    float64
	goroutines float64 // -1 if unknown
}

// watch samples a process until ctx ends.
func watch(ctx context.Context, pid int, metricsURL string, every time.Duration) ([]sample, error) {
	var all []sample
	began := time.Now()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		s, err := look(pid, metricsURL)
		if err != nil {
			return all, err
		}
		s.at = time.Since(began)
		all = append(all, s)
		select {
		case <-ctx.Done():
			return all, nil
		case <-tick.C:
		}
	}
}

func look(pid int, metricsURL string) (sample, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return sample{}, err
	}
	s := sample{goroutines: goroutines(metricsURL)}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		n, _ := strconv.ParseFloat(fields[1], 64)
		switch fields[0] {
		case "VmRSS:":
			s.rss = n / 1024
		case "Threads:":
			s.threads = n
		}
	}
	if s.rss == 0 {
		return s, errors.New("the process has no memory: it has ended")
	}
	return s, nil
}

// goroutines asks the process's metrics.
func goroutines(metricsURL string) float64 {
	client := http.Client{Timeout: 5 * time.Second}
	res, err := client.Get(metricsURL)
	if err != nil {
		return -1
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "go_goroutines "); ok {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return -1
			}
			return n
		}
	}
	return -1
}

// slope is how much something grows in a minute, by least squares.
func slope(all []sample, value func(sample) float64) float64 {
	var n, sx, sy, sxx, sxy float64
	for _, s := range all {
		x, y := s.at.Minutes(), value(s)
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	if d := n*sxx - sx*sx; d != 0 {
		return (n*sxy - sx*sy) / d
	}
	return 0
}

func rss(s sample) float64      { return s.rss }
func routines(s sample) float64 { return s.goroutines }
func threads(s sample) float64  { return s.threads }
