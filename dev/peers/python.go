package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
)

//go:embed sdk.py
var script string

// drivePython runs the clients of the SDK: once with decisions as Didit documents them, for the rest without nulls.
func drivePython(ctx context.Context, dir string, d *simulated) ([]row, error) {
	rows, err := runScript(ctx, dir, d, "nulls")
	if err != nil {
		return nil, err
	}
	d.noNulls.Store(true)
	more, err := runScript(ctx, dir, d, "calls")
	if err != nil {
		return nil, err
	}
	if err := d.Wait(ctx); err != nil {
		return nil, err
	}
	last, err := runScript(ctx, dir, d, "webhooks")
	return append(append(rows, more...), last...), err
}

func runScript(ctx context.Context, dir string, d *simulated, part string) ([]row, error) {
	d.mu.Lock()
	in, err := json.Marshal(map[string]any{
		"part": part, "url": d.url, "key": apiKey, "flow": flow, "secret": webhookSecret, "webhooks": d.webhooks,
	})
	d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, python(dir), "-c", script) //nolint:gosec // ours
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", part, err, errs.String())
	}
	var rows []row
	for line := range strings.Lines(out.String()) {
		var r struct{ Call, Routes, Got, Want string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return nil, fmt.Errorf("%s: %w: %s", part, err, line)
		}
		rows = append(rows, row{program: "didit-sdk", call: r.Call, routes: ids.ReplaceAllString(r.Routes, "ID"), got: r.Got, want: r.Want})
	}
	return rows, nil
}
