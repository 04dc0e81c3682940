package stack

import (
	"context"
	"net"
	"slices"
	"strconv"

	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/kyc/codec"
)

// encrypts reports whether payloads are encrypted with the public key: only where the codec server runs too, that a person can
// read them.
func (o *Options) encrypts() bool {
	return o.Encrypt && o.Real == nil && (len(o.Only) == 0 || slices.Contains(o.Only, "codec"))
}

// startCodec runs what `starter codec-server` runs, without tokens: the key is public.
func startCodec(ctx context.Context, s *Stack) error {
	if !s.o.encrypts() {
		return nil
	}
	listener, err := s.listen(ctx, s.o.CodecPort)
	if err != nil {
		return err
	}
	cfg := config.Codec{Keys: s.keys(), Origins: s.o.uiOrigins()}
	s.run(func(ctx context.Context) error { return app.ServeCodec(ctx, listener, cfg, s.log("codec")) })
	s.Addresses = append(s.Addresses, Address{Key: "codec", Title: "Codec", Value: s.codecURL()})
	return nil
}

// uiOrigins are the ways in which a person writes the Web UI's address.
func (o *Options) uiOrigins() []string {
	var origins []string
	for _, host := range []string{"127.0.0.1", "localhost"} {
		origins = append(origins, "http://"+net.JoinHostPort(host, strconv.Itoa(o.UIPort)))
	}
	return append(origins, "http://"+o.reach(o.UIPort))
}

// codecURL is where the codec server is going to be; empty if none is.
func (s *Stack) codecURL() string {
	if !s.o.encrypts() {
		return ""
	}
	return s.url(s.o.CodecPort)
}

func (s *Stack) keys() codec.Keys {
	if s.o.Real != nil {
		return s.o.Real.Worker.PayloadKeys
	}
	if !s.o.encrypts() {
		return codec.Keys{}
	}
	keys, _ := codec.ParseKeys(codec.Demo) // its own test reads it
	return keys
}
