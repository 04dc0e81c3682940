package codec

import (
	"context"
	"errors"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Apply makes a connection encrypt with the keys, before kyc.Dial or client.Dial. Every program that calls a verification needs
// the same keys: without them a client cannot read the answers. A data converter of the caller's stays, below the
// encryption; a failure converter is replaced.
func (k Keys) Apply(o *client.Options) {
	parent := o.DataConverter
	if parent == nil {
		parent = converter.GetDefaultDataConverter()
	}
	o.DataConverter = dataConverter{converter.NewCodecDataConverter(parent, k.Codec())}
	o.FailureConverter = newFailureConverter(o.DataConverter, !k.Empty())
}

// failureConverter is the SDK's, whose payloads are bound to their workflow too.
type failureConverter struct {
	converter.FailureConverter
	data    converter.DataConverter
	encrypt bool
}

func newFailureConverter(data converter.DataConverter, encrypt bool) failureConverter {
	return failureConverter{temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter: data, EncodeCommonAttributes: encrypt,
	}), data, encrypt}
}

// WithSerializationContext implements converter.FailureConverterWithSerializationContext.
func (f failureConverter) WithSerializationContext(in converter.SerializationContext) converter.FailureConverter {
	return newFailureConverter(converter.WithDataConverterSerializationContext(f.data, in), f.encrypt)
}

// dataConverter is the SDK's, and strict in workflows.
type dataConverter struct{ converter.DataConverter }

// WithSerializationContext implements converter.DataConverterWithSerializationContext.
func (d dataConverter) WithSerializationContext(in converter.SerializationContext) converter.DataConverter {
	return dataConverter{converter.WithDataConverterSerializationContext(d.DataConverter, in)}
}

// WithWorkflowContext implements workflow.ContextAware.
func (d dataConverter) WithWorkflowContext(workflow.Context) converter.DataConverter {
	return strict(d)
}

// WithContext implements workflow.ContextAware.
func (d dataConverter) WithContext(context.Context) converter.DataConverter { return d }

// strict decodes in workflow code. There the SDK would take a payload that cannot be decrypted for a broken one: it
// drops the signal, or ends the workflow. But a key that is missing on one worker comes back with the next deployment,
// so the workflow must wait for it. A panic is the SDK's way to say that: the task is tried again, on any worker.
type strict struct{ converter.DataConverter }

// WithSerializationContext implements converter.DataConverterWithSerializationContext.
func (s strict) WithSerializationContext(in converter.SerializationContext) converter.DataConverter {
	return strict{converter.WithDataConverterSerializationContext(s.DataConverter, in)}
}

// FromPayload implements converter.DataConverter.
func (s strict) FromPayload(p *commonpb.Payload, to any) error {
	return stopAtLostKey(s.DataConverter.FromPayload(p, to), to)
}

// FromPayloads implements converter.DataConverter.
func (s strict) FromPayloads(p *commonpb.Payloads, to ...any) error {
	return stopAtLostKey(s.DataConverter.FromPayloads(p, to...), to...)
}

// Disposable is a payload that a workflow can do without, such as a signal that is typed by hand. Where it is damaged, which no key
// changes, the SDK drops it.
type Disposable interface{ Disposable() }

func stopAtLostKey(err error, to ...any) error {
	if !Unreadable(err) {
		return err
	}
	if len(to) == 1 && errors.Is(err, ErrDamaged) {
		if _, disposable := to[0].(Disposable); disposable {
			return err
		}
	}
	panic(err) //nolint:forbidigo // in workflow code the SDK takes an error for a broken payload, and loses it; only a panic makes it wait
}

// Unreadable reports whether an error says that something encrypted cannot be decrypted here.
func Unreadable(err error) bool {
	_, unknown := errors.AsType[*UnknownKeyError](err)
	return unknown || errors.Is(err, ErrDamaged)
}
