package main

import (
	"context"
	"fmt"
	"net"
	"strings"

	uiserver "github.com/temporalio/ui-server/v2/server"
	"github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
)

type webUI struct {
	srv   *uiserver.Server
	ended chan struct{}
}

// startUI counts on the port being free: the UI's Start ends the whole process when it is not.
func startUI(ctx context.Context, o *Options) (*webUI, error) {
	u := &webUI{ended: make(chan struct{}), srv: uiserver.NewServer(server_options.WithConfigProvider(&config.Config{
		Host:                bracketed(o.IP),
		Port:                o.UIPort,
		TemporalGRPCAddress: o.address(o.Port),
		DefaultNamespace:    namespace,
		EnableUI:            true,
		CORS:                config.CORS{CookieInsecure: true}, // plain http
		Codec:               config.Codec{Endpoint: o.CodecURL},
		HideLogs:            true,
		DisableNewsFetch:    true,
	}))}
	go func() {
		defer close(u.ended)
		_ = u.srv.Start()
	}()
	err := poll(ctx, func() error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", o.address(o.UIPort))
		if err != nil {
			return err
		}
		return conn.Close()
	})
	if err != nil {
		u.stop()
		return nil, fmt.Errorf("the Web UI does not answer: %w", err)
	}
	return u, nil
}

func (u *webUI) stop() {
	u.srv.Stop()
	<-u.ended
}

// bracketed writes an address the way the UI, which appends ":port" itself, needs it.
func bracketed(ip string) string {
	if strings.Contains(ip, ":") {
		return "[" + ip + "]"
	}
	return ip
}
