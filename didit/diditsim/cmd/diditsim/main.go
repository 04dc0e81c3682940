// Command diditsim serves a simulated Didit: the session API, the hosted page and signed webhooks.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"didit-temporal/didit/diditsim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "diditsim:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) error {
	cfg, err := parse(args, getenv, stdout)
	if err != nil {
		return err
	}
	cfg.options.Logger = slog.New(slog.NewTextHandler(stdout, nil))
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.addr)
	if err != nil {
		return fmt.Errorf("listen on -addr: %w", err)
	}
	cfg.options.KeepDeliveries = 1 // nothing reads them
	sim := diditsim.New(cfg.options)
	defer sim.Close()
	sim.SetClockOffset(cfg.clockOffset)
	srv := &http.Server{Handler: sim, ReadHeaderTimeout: 5 * time.Second}
	_, _ = fmt.Fprint(stdout, cfg.greeting(ln.Addr()))
	drained := make(chan error, 1)
	go func() { // Serve returns when Shutdown starts; run returns when no request is left.
		<-ctx.Done()
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		drained <- srv.Shutdown(limited)
	}()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	err = <-drained
	report(cfg.options.Logger, sim.Usage())
	return err
}
