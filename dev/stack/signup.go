package stack

import (
	"context"
	"net"
	"net/http"
	"time"

	"didit-temporal/dev/signup"
)

func signupPorts(o *Options) []wanted {
	return []wanted{{what: "signup page", flag: "-signup-port", port: &o.SignupPort}}
}

// startSignup runs an example of a signup service, which calls the API as any other would.
func startSignup(ctx context.Context, s *Stack) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.o.hostPort(s.o.SignupPort))
	if err != nil {
		return err
	}
	public := "http://" + s.o.reach(s.o.SignupPort)
	srv := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: signup.New(signup.Options{
		API: "http://" + s.o.reach(s.o.APIPort), Token: APIToken, SDK: s.o.WebSDK, Public: public,
	})}
	go func() { _ = srv.Serve(listener) }() // ends with Close
	s.stops = append(s.stops, srv.Close)
	s.Addresses = append(s.Addresses, Address{Key: "signup", Title: "Signup", Value: public})
	return nil
}
