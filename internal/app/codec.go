package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	"didit-temporal/internal/codecserver"
	"didit-temporal/internal/config"
	"didit-temporal/kyc/codec"
)

// notePayloadKeys says once what an operator should know without looking into a payload.
func notePayloadKeys(keys codec.Keys, log *slog.Logger) {
	switch {
	case keys.Empty():
		log.Warn("payloads are stored in plain text: PAYLOAD_KEYS is not set, so whoever may read the Temporal namespace can open the sessions of users")
	case keys.Demo():
		log.Warn("payloads are encrypted with a key that everybody knows", "payload_keys", keys)
	default:
		log.Info("payloads are encrypted with the first of these keys", "payload_keys", keys)
	}
}

// RunCodec serves the codec server until ctx ends.
func RunCodec(ctx context.Context, cfg config.Codec, log *slog.Logger) error {
	telemetry, err := StartTelemetry(ctx, config.Telemetry{MetricsAddr: cfg.MetricsAddr}, "codec", log)
	if err != nil {
		return err
	}
	defer telemetry.Close()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Addr)
	if err != nil {
		return fmt.Errorf("listen on CODEC_ADDR=%s: %w", cfg.Addr, err)
	}
	return ServeCodec(ctx, listener, cfg, log, telemetry)
}

// ServeCodec is RunCodec on a listener that is open already. Without tokens everybody who reaches it may decrypt, which
// is for keys that everybody knows; config.ForCodec insists on tokens.
func ServeCodec(ctx context.Context, listener net.Listener, cfg config.Codec, log *slog.Logger, given ...*Telemetry) error {
	telemetry := telemetryOf(given)
	telemetry.metrics.OfCodec()
	telemetry.becomesReady(func(context.Context) error { return nil }) // it depends on no other process
	tokens := make([]string, len(cfg.Tokens))
	for i, s := range cfg.Tokens {
		tokens[i] = s.Reveal()
	}
	notePayloadKeys(cfg.Keys, log)
	log.Info("codec server listens", "address", listener.Addr().String(), "origins", cfg.Origins)
	err := serve(ctx, listener, codecserver.New(codecserver.Options{
		Codec: cfg.Keys.Codec(), Tokens: tokens, Origins: cfg.Origins, Log: log, Guessed: telemetry.metrics.Guessed,
	}), log)
	log.Info("codec server has stopped")
	return err
}
