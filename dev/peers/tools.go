package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"didit-temporal/didit"
)

// object is one of JSON.
type object = map[string]any

// state is what one step learns for the next ones.
type state struct {
	d    *simulated
	text map[string]string
}

// step is one call of a tool.
type step struct {
	tool   string
	what   string // of several calls of one tool
	args   object // a value "$name" is what the state has under the name
	want   string // ok unless given
	before func(*state) error
	check  func(*state, object) error // of what the tool answers
}

// keep remembers a field of the answer.
func keep(field, name string) func(*state, object) error {
	return func(s *state, got object) error {
		text, ok := got[field].(string)
		if !ok || text == "" {
			return fmt.Errorf("no %s", field)
		}
		s.text[name] = text
		return nil
	}
}

// counts wants a number of results.
func counts(n int) func(*state, object) error {
	return func(_ *state, got object) error {
		results, _ := got["results"].([]any)
		if list, ok := got["list"].([]any); ok {
			results = list
		}
		if len(results) != n {
			return fmt.Errorf("%d results, want %d", len(results), n)
		}
		return nil
	}
}

// move takes the kept session to a status.
func move(statuses ...didit.Status) func(*state) error {
	return func(s *state) error {
		for _, st := range statuses {
			if err := s.d.SetStatus(s.text["session"], st); err != nil {
				return err
			}
		}
		return nil
	}
}

// driveTools calls every tool of the MCP server: those of the account without a key, the rest with the key of the account.
func driveTools(ctx context.Context, dir string, d *simulated) ([]row, error) {
	image := filepath.Join(dir, "image.jpg")
	if err := os.WriteFile(image, []byte("no picture"), 0o600); err != nil {
		return nil, err
	}
	s := &state{d: d, text: map[string]string{"image": image, "hooks": d.hooks.URL}}
	rows, names, err := s.use(ctx, dir, "", accountSteps)
	if err != nil {
		return nil, err
	}
	more, _, err := s.use(ctx, dir, s.text["key"], append(appSteps, notSimulatedSteps()...))
	if err != nil {
		return nil, err
	}
	rows = append(rows, more...)
	for _, name := range names {
		if !slices.Contains(called(rows), name) {
			rows = append(rows, row{program: "mcp-server", call: name, got: "never called", want: "a step"})
		}
	}
	return rows, nil
}

// use runs steps on one server, and returns the names of its tools too.
func (s *state) use(ctx context.Context, dir, key string, steps []step) (rows []row, names []string, err error) {
	server, err := startServer(ctx, dir, s.d, key)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	if names, err = server.tools(); err != nil {
		return nil, nil, err
	}
	for _, st := range steps {
		r, err := s.run(server, st)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", st.tool, err)
		}
		rows = append(rows, r)
	}
	return rows, names, nil
}

func (s *state) run(server *server, st step) (row, error) {
	if st.before != nil {
		if err := st.before(s); err != nil {
			return row{}, err
		}
	}
	args := object{}
	for field, value := range st.args {
		if name, kept := value.(string); kept && strings.HasPrefix(name, "$") {
			value = s.text[name[1:]]
		}
		args[field] = value
	}
	s.d.since()
	answer, got, err := server.use(st.tool, args)
	if err != nil {
		return row{}, err
	}
	if got == "ok" && st.check != nil {
		if err := st.check(s, answer); err != nil {
			got = err.Error()
		}
	}
	r := row{program: "mcp-server", call: st.tool, routes: strings.Join(s.d.since(), ", "), got: got, want: cmp.Or(st.want, "ok")}
	if st.what != "" {
		r.call += ", " + st.what
	}
	return r, nil
}

const (
	address  = "ops@kyc.internal"
	password = "Str0ng!Enough"
)

// accountSteps open an account, as Didit's "four calls" begin.
var accountSteps = []step{
	{tool: "didit_register", what: "weak password", args: object{"email": address, "password": "weak"}, want: "400"},
	{tool: "didit_register", args: object{"email": address, "password": password}},
	{tool: "didit_resend_otp", what: "too soon", args: object{"email": address}, want: "429"},
	{tool: "didit_resend_otp", args: object{"email": address}, before: func(s *state) error {
		s.d.SetClockOffset(2 * time.Minute)
		return nil
	}},
	{
		tool: "didit_verify_email", what: "wrong code", args: object{"email": address, "code": "000000"}, want: "400",
		before: func(s *state) error { s.d.SetClockOffset(0); return nil },
	},
	{tool: "didit_verify_email", args: object{"email": address, "code": "$code"}, before: func(s *state) error {
		s.text["code"], _ = s.d.LastCode(address)
		return nil
	}, check: func(s *state, got object) error {
		app, _ := got["application"].(object)
		return keep("api_key", "key")(s, app)
	}},
	{tool: "didit_login", what: "wrong password", args: object{"email": address, "password": "Wr0ng!Password"}, want: "401"},
	{tool: "didit_login", args: object{"email": address, "password": password}, check: keep("access_token", "token")},
	{tool: "didit_list_organizations", args: object{"access_token": "$token"}, check: first("uuid", "organization")},
	{
		tool: "didit_list_applications", args: object{"access_token": "$token", "organization_id": "$organization"},
		check: first("uuid", "application"),
	},
	{tool: "didit_get_application", args: object{
		"access_token": "$token", "organization_id": "$organization", "application_id": "$application",
	}, check: func(s *state, got object) error {
		if got["api_key"] != s.text["key"] {
			return errors.New("another api_key")
		}
		return keep("client_id", "client")(s, got)
	}},
	{tool: "didit_list_sessions", what: "no key", want: "403"},
}

// first remembers a field of the first entry of a list.
func first(field, name string) func(*state, object) error {
	return func(s *state, got object) error {
		list, _ := got["list"].([]any)
		if len(list) == 0 {
			return errors.New("an empty list")
		}
		entry, _ := list[0].(object)
		return keep(field, name)(s, entry)
	}
}
