package tserver

import (
	"context"
	"debug/buildinfo"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

func TestBuildDropsTheFlagsOfTheTestRun(t *testing.T) {
	t.Setenv("GOFLAGS", "-tags=planted")
	bin, err := build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			t.Errorf("built with %s=%s", s.Key, s.Value)
		}
	}
}

func TestOneBuildAtATime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := lock(short, file); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("second lock: %v, want a timeout", err)
	}
	unlock()
	unlock, err = lock(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}
