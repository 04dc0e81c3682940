package app

import (
	"context"
	"log/slog"
	"net"

	"didit-temporal/internal/codecserver"
	"didit-temporal/internal/config"
	"didit-temporal/kyc/codec"
)

// notePayloadKeys logs once how payloads are stored.
func notePayloadKeys(keys codec.Keys, log *slog.Logger) {
	switch {
	case keys.Empty():
		log.Warn("payloads are stored in plain text: PAYLOAD_KEYS is not set, so all readers of the Temporal namespace can open the sessions of users")
	case keys.Demo():
		log.Warn("payloads are encrypted with the public key of .env.example", "payload_keys", keys)
	default:
		log.Info("payloads are encrypted with the first of these keys", "payload_keys", keys)
	}
}

// RunCodec serves the codec server until ctx ends.
func RunCodec(ctx context.Context, cfg config.Codec, log *slog.Logger) error {
	telemetry, err := StartTelemetry(ctx, cfg.Telemetry, "codec", log)
	if err != nil {
		return err
	}
	defer telemetry.Close()
	listener, err := listen(ctx, "CODEC_ADDR", cfg.Addr)
	if err != nil {
		return err
	}
	return ServeCodec(ctx, listener, cfg, log, telemetry)
}

// ServeCodec is RunCodec on an open listener. Without tokens all who reach it may decrypt, which is for public keys;
// config.ForCodec requires tokens.
func ServeCodec(ctx context.Context, listener net.Listener, cfg config.Codec, log *slog.Logger, given ...*Telemetry) error {
	telemetry := telemetryOf(given)
	telemetry.metrics.OfCodec()
	telemetry.becomesReady(func(context.Context) error { return nil }) // it depends on no other process
	notePayloadKeys(cfg.Keys, log)
	log.Info("codec server listens", "address", listener.Addr().String(), "origins", cfg.Origins)
	err := serve(ctx, listener, codecserver.New(codecserver.Options{
		Codec: cfg.Keys.Codec(), Tokens: config.RevealAll(cfg.Tokens), Origins: cfg.Origins, Log: log, Guessed: telemetry.metrics.Guessed,
	}), log)
	log.Info("codec server has stopped")
	return err
}
