package kyc

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"

	"didit-temporal/kyc/codec"
)

// Dial connects to Temporal. It fails if Temporal does not answer. Options usually come from the environment, by
// go.temporal.io/sdk/contrib/envconfig; where payloads are encrypted, codec.Keys.Apply adds the keys to them first.
func Dial(ctx context.Context, o client.Options) (*Client, error) {
	if o.DataConverter == nil && o.FailureConverter == nil { // without keys, an encrypted payload is an error that says so
		codec.Keys{}.Apply(&o)
	}
	if o.ConnectionOptions.GrpcCompression == nil { // the SDK's default, gzip, costs both ends CPU for messages of a kilobyte
		o.ConnectionOptions.GrpcCompression = &client.GrpcCompressionNone{}
	}
	o.HostPort, o.Namespace = cmp.Or(o.HostPort, client.DefaultHostPort), cmp.Or(o.Namespace, client.DefaultNamespace)
	o.ConnectionOptions.DialOptions = append(slices.Clip(o.ConnectionOptions.DialOptions),
		grpc.WithChainUnaryInterceptor(noteStart, stampRequestID))
	c, err := client.DialContext(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("reach Temporal at %s, namespace %s (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE): %w", o.HostPort, o.Namespace, err)
	}
	if o.DataConverter == nil {
		o.DataConverter = converter.GetDefaultDataConverter()
	}
	return &Client{temporal: c, namespace: o.Namespace, payloads: o.DataConverter}, nil
}

// startNote is the server's answer about the start in an Update-With-Start, which the SDK drops.
type startNote struct {
	requestID string      // of the start, in all requests of this note
	started   atomic.Bool // this call made the run
	closed    atomic.Bool // the update was answered by a run that has ended
}

type startNoteKey struct{}

func withStartNote(ctx context.Context) (context.Context, *startNote) {
	note := &startNote{requestID: uuid.NewString()}
	return context.WithValue(ctx, startNoteKey{}, note), note
}

// noteStart is a gRPC interceptor. The SDK repeats the request until the update is durable, so a later answer must
// not forget that the first one made the run.
func noteStart(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	note, asked := ctx.Value(startNoteKey{}).(*startNote)
	answer, multi := reply.(*workflowservice.ExecuteMultiOperationResponse)
	if !asked || !multi {
		return invoke(ctx, method, req, reply, cc, opts...)
	}
	if both, ok := req.(*workflowservice.ExecuteMultiOperationRequest); ok {
		for _, op := range both.GetOperations() {
			if start := op.GetStartWorkflow(); start != nil {
				start.RequestId = note.requestID
			}
		}
	}
	if err := invoke(ctx, method, req, reply, cc, opts...); err != nil {
		return err
	}
	for _, r := range answer.GetResponses() {
		start := r.GetStartWorkflow()
		if start == nil {
			continue
		}
		if start.GetStarted() {
			note.started.Store(true)
		}
		note.closed.Store(start.GetStatus() > enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING)
	}
	return nil
}

type requestIDKey struct{}

// withRequestID gives the signal sent with ctx a RequestId of ours. The server drops a repeat of it, even after the run
// has closed; the SDK would fill in a random one.
func withRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// stampRequestID is a gRPC interceptor.
func stampRequestID(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	id, asked := ctx.Value(requestIDKey{}).(string)
	if asked {
		switch r := req.(type) {
		case *workflowservice.SignalWorkflowExecutionRequest:
			r.RequestId = id
		case *workflowservice.SignalWithStartWorkflowExecutionRequest:
			r.RequestId = id
		}
	}
	return invoke(ctx, method, req, reply, cc, opts...)
}
