package arch_test

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// checkImports returns what breaks the table, one sentence each.
func checkImports(files []source, table map[string]rule) []string {
	var faults []string
	for _, f := range files {
		r, known := table[f.dir]
		if !known {
			faults = append(faults, fmt.Sprintf("%s: package %q is not in the table of internal/arch: add it, with the least it needs", f.name, f.dir))
			continue
		}
		for _, p := range f.imports() {
			if !r.allows(f.dir, p) {
				faults = append(faults, fmt.Sprintf("%s: %q may not import %q", f.name, f.dir, p))
			}
		}
	}
	return faults
}

func (r rule) allows(dir, p string) bool {
	if own, ok := strings.CutPrefix(p, module+"/"); ok {
		return slices.Contains(r.own, own)
	}
	first, _, _ := strings.Cut(p, "/")
	if strings.Contains(first, ".") {
		return matches(r.outside, p)
	}
	if dir != "didit/diditsim" && matches(testOnly, p) {
		return false
	}
	return r.std == nil || slices.Contains(r.std, p)
}

func matches(patterns []string, p string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		below, tree := strings.CutSuffix(pattern, "/...")
		return p == below || tree && strings.HasPrefix(p, below+"/")
	})
}

// checkSizes returns the files, functions and mains that are too long, and exceptions that nothing needs.
func checkSizes(files []source, exceptions map[string]string) []string {
	var faults []string
	unused := make(map[string]bool)
	for k := range exceptions {
		unused[k] = true
	}
	report := func(key string, lines, limit int) {
		if lines <= limit {
			return
		}
		if delete(unused, key); exceptions[key] == "" {
			faults = append(faults, fmt.Sprintf("%s: %d lines, at most %d", key, lines, limit))
		}
	}
	total := make(map[string]int)
	for _, f := range files {
		total[f.dir] += f.lines
		report(f.name, f.lines, maxFile)
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				report(f.name+":"+fn.Name.Name, f.line(fn.End())-f.line(fn.Pos())+1, maxFunction)
			}
		}
	}
	for _, dir := range mains {
		report(dir, total[dir], maxMain)
	}
	for key := range unused {
		faults = append(faults, key+": the exception is not needed any more")
	}
	return faults
}

// checkMod returns what must not stand in the root go.mod.
func checkMod(mod string) []string {
	var faults []string
	if !slices.Contains(strings.Split(mod, "\n"), "go 1.26.0") {
		faults = append(faults, "go.mod: want the line \"go 1.26.0\": importers of kyc need no newer Go than that")
	}
	for line := range strings.Lines(mod) {
		line = strings.TrimSpace(line)
		word, _, _ := strings.Cut(line, " ")
		switch {
		case word == "toolchain" || word == "replace" || word == "tool" || word == "godebug":
			faults = append(faults, fmt.Sprintf("go.mod: %q: this module is imported by others, who would not get it", line))
		case slices.ContainsFunc(devOnly, func(m string) bool { return strings.Contains(line, m+" ") }):
			faults = append(faults, fmt.Sprintf("go.mod: %q belongs to a module of dev: it would change the versions that production links", line))
		}
	}
	return faults
}

// devOnly are modules that only development needs.
var devOnly = []string{
	"go.temporal.io/server", "github.com/temporalio/ui-server/v2", "github.com/chromedp/chromedp",
	"github.com/golangci/golangci-lint/v2", "go.temporal.io/sdk/contrib/tools/workflowcheck", "modernc.org/sqlite",
}
