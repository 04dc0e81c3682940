// Command peer is what the benchmarks compare with, in a process of its own as ours are: a worker for the bare workflow, and
// handlers of gin that refuse at once.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/dev/bench/bare"
	"didit-temporal/didit"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	c, err := client.DialContext(ctx, client.Options{HostPort: os.Getenv("TEMPORAL_ADDRESS"), Namespace: os.Getenv("TEMPORAL_NAMESPACE")})
	if err != nil {
		return err
	}
	defer c.Close()
	for _, w := range workers(c) {
		if err := w.Start(); err != nil {
			return err
		}
		defer w.Stop()
	}
	handler, err := refusals(os.Getenv("DIDIT_WEBHOOK_SECRETS"))
	if err != nil {
		return err
	}
	srv := &http.Server{ // a server without these is one that a few slow senders stop
		Addr: os.Getenv("PEER_ADDR"), Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute,
	}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	fmt.Println("peer runs")
	if err := srv.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// workers poll as ours do. The queue of activities has all the partitions that the server gives it, so more polls.
func workers(c client.Client) []worker.Worker {
	scaling := worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{})
	decide := worker.New(c, bare.TaskQueue, worker.Options{WorkflowTaskPollerBehavior: scaling, ActivityTaskPollerBehavior: scaling})
	decide.RegisterWorkflowWithOptions(bare.Run, workflow.RegisterOptions{Name: bare.Workflow})
	act := worker.New(c, bare.First, worker.Options{DisableWorkflowWorker: true, MaxConcurrentActivityTaskPollers: 8})
	for _, w := range []worker.Worker{decide, act} {
		w.RegisterActivity(bare.Nothing)
	}
	return []worker.Worker{decide, act}
}

// refusals are handlers that answer 403 with as little work as the refusal takes.
func refusals(secret string) (http.Handler, error) {
	verifier, err := didit.NewVerifier(didit.VerifierOptions{Secrets: []string{secret}})
	if err != nil {
		return nil, err
	}
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.POST("/at-once", func(c *gin.Context) { refuse(c, false) })
	e.POST("/hmac", func(c *gin.Context) {
		body, err := read(c)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		sent, _ := hex.DecodeString(c.GetHeader(didit.HeaderSignature))
		refuse(c, err == nil && hmac.Equal(mac.Sum(nil), sent))
	})
	e.POST("/verify", func(c *gin.Context) {
		body, err := read(c)
		if err == nil {
			_, err = verifier.Verify(c.Request.Header, body)
		}
		refuse(c, err == nil)
	})
	return e, nil
}

// read knows how much there is to read.
func read(c *gin.Context) ([]byte, error) {
	body := make([]byte, c.Request.ContentLength)
	_, err := io.ReadFull(c.Request.Body, body)
	return body, err
}

var refusal = []byte(`{"error":"the signature does not match"}`)

// refuse says why, as ours does.
func refuse(c *gin.Context, good bool) {
	if good {
		c.JSON(http.StatusOK, gin.H{"status": "received"})
		return
	}
	c.Data(http.StatusForbidden, "application/json; charset=utf-8", refusal)
}
