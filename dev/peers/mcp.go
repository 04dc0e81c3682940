package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// server is a running MCP server: JSON-RPC, a line each way.
type server struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Scanner
	calls int
}

// startServer runs the MCP server in dir against d with a key, which may be empty.
func startServer(ctx context.Context, dir string, d *simulated, key string) (*server, error) {
	cmd := exec.CommandContext(ctx, "node", filepath.Join(dir, "node_modules", "@didit-protocol", "mcp-server", "dist", "index.js")) //nolint:gosec // our folder
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "DIDIT_API_KEY=" + key, "DIDIT_API_BASE_URL=" + d.api.URL + "/v3", "DIDIT_AUTH_BASE_URL=" + d.api.URL + "/auth/v2",
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd, in: in, out: bufio.NewScanner(out)}
	s.out.Buffer(nil, 4<<20)
	err = s.call("initialize", map[string]any{
		"protocolVersion": "2024-11-05", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "peers", "version": "1"},
	}, new(any))
	if err == nil {
		err = s.send(map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"})
	}
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// stop ends the server, which ends by itself when nothing more can come.
func (s *server) stop() error {
	_ = s.in.Close()
	return s.cmd.Wait()
}

func (s *server) send(message any) error {
	line, err := json.Marshal(message)
	if err != nil {
		return err
	}
	_, err = s.in.Write(append(line, '\n'))
	return err
}

// call sends a request and decodes its result.
func (s *server) call(method string, params, result any) error {
	s.calls++
	if err := s.send(map[string]any{"jsonrpc": "2.0", "id": s.calls, "method": method, "params": params}); err != nil {
		return err
	}
	for s.out.Scan() {
		var answer struct {
			ID     int             `json:"id"`
			Result json.RawMessage `json:"result"`
			Error  json.RawMessage `json:"error"`
		}
		if err := json.Unmarshal(s.out.Bytes(), &answer); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		if answer.ID != s.calls {
			continue
		}
		if answer.Error != nil {
			return fmt.Errorf("%s: %s", method, answer.Error)
		}
		return json.Unmarshal(answer.Result, result)
	}
	return errors.Join(fmt.Errorf("%s: the server has ended", method), s.out.Err())
}

// tools lists the names of all tools.
func (s *server) tools() ([]string, error) {
	var list struct {
		Tools []struct {
			Name string `json:"name"`
		} `json:"tools"`
	}
	if err := s.call("tools/list", map[string]any{}, &list); err != nil {
		return nil, err
	}
	names := make([]string, len(list.Tools))
	for i, t := range list.Tools {
		names[i] = t.Name
	}
	return names, nil
}

// refusedWith finds the status in the text of a tool's error.
var refusedWith = regexp.MustCompile(`Didit API (\d{3}) `)

// use calls a tool. It returns what the tool answers, or the status with which Didit refused.
func (s *server) use(tool string, args map[string]any) (answer map[string]any, outcome string, err error) {
	var result struct {
		IsError bool `json:"isError"`
		Content []struct {
			Text string `json:"text"`
		} `json:"content"`
	}
	if err := s.call("tools/call", map[string]any{"name": tool, "arguments": args}, &result); err != nil {
		return nil, "", err
	}
	if len(result.Content) == 0 {
		return nil, "", fmt.Errorf("%s: an answer without content", tool)
	}
	text := result.Content[0].Text
	if result.IsError {
		if m := refusedWith.FindStringSubmatch(text); m != nil {
			return nil, m[1], nil
		}
		return nil, text, nil
	}
	var whole any
	if err := json.Unmarshal([]byte(text), &whole); err != nil {
		return nil, "", fmt.Errorf("%s: %w", tool, err)
	}
	answer, isObject := whole.(map[string]any)
	if !isObject {
		answer = map[string]any{"list": whole}
	}
	return answer, "ok", nil
}
