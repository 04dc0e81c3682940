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
func drivePython(ctx context.Context, dir string, d *simulated) (rows []row, err error) {
	for _, part := range []string{"nulls", "calls", "webhooks", "missing"} {
		more, err := runScript(ctx, dir, d, part, rows)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
		d.noNulls.Store(true)
		if err := d.Wait(ctx); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// called are the names of calls, without what sets several calls of one method apart.
func called(rows []row) []string {
	names := []string{}
	for _, r := range rows {
		name, _, _ := strings.Cut(r.call, ",")
		names = append(names, name)
	}
	return names
}

func runScript(ctx context.Context, dir string, d *simulated, part string, before []row) ([]row, error) {
	d.mu.Lock()
	in, err := json.Marshal(map[string]any{
		"part": part, "url": d.api.URL, "key": apiKey, "flow": flow, "secret": webhookSecret, "webhooks": d.webhooks, "called": called(before),
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
