// Command module changes the path of the Go module wherever it is written: go -C dev run ./module -path example.com/x/y.
// The name of the product, which is that of images, packages and metrics, stays.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"didit-temporal/dev/checkout"
)

func main() {
	root := flag.String("root", "..", "`folder` of the repository")
	path := flag.String("path", "", "the new `path`, such as example.com/x/y")
	flag.Parse()
	if err := rename(context.Background(), *root, *path); err != nil {
		fmt.Fprintln(os.Stderr, "module:", err)
		os.Exit(1)
	}
}

func rename(ctx context.Context, root, path string) error {
	if err := module.CheckPath(path); err != nil {
		return fmt.Errorf("%w: want a path such as example.com/x/y", err)
	}
	gomod, err := os.ReadFile(filepath.Join(root, "go.mod")) //nolint:gosec // G304: ours
	if err != nil {
		return err
	}
	old := modfile.ModulePath(gomod)
	if old == "" {
		return errors.New("go.mod names no module")
	}
	tracked, err := checkout.Git(ctx, root, "ls-files", "-z")
	if err != nil {
		return err
	}
	replace, changed := replacer(old, path), 0
	for name := range strings.SplitSeq(strings.Trim(tracked, "\x00"), "\x00") {
		done, err := rewrite(filepath.Join(root, name), replace)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if done {
			changed++
		}
	}
	fmt.Printf("%s is now %s, in %d files\n", old, path, changed)
	return nil
}

// replacer replaces the path where it stands for the module: before a package, and where a go.mod, a test or a page names
// the module itself.
func replacer(old, path string) func([]byte) []byte {
	quoted := regexp.QuoteMeta(old)
	forms := []*regexp.Regexp{
		regexp.MustCompile(`(?m)((?:^|[^\w./@-]))` + quoted + `(/[a-z])`),
		regexp.MustCompile(`(?m)(\b(?:module|replace) )` + quoted + `(\s|\\n|$)`),
		regexp.MustCompile(`(?m)(^\s+)` + quoted + `( v\d)`),
		regexp.MustCompile("(module(?: = |'s name is )[\"`])" + quoted + "([\"`])"),
	}
	return func(text []byte) []byte {
		for _, form := range forms {
			text = form.ReplaceAll(text, []byte("${1}"+path+"${2}"))
		}
		return text
	}
}

// rewrite reports whether the file has changed.
func rewrite(file string, replace func([]byte) []byte) (bool, error) {
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) { // deleted, and not yet committed
		return false, nil
	}
	if err != nil {
		return false, err
	}
	before, err := os.ReadFile(file) //nolint:gosec // G304: a file of this repository
	if err != nil {
		return false, err
	}
	after := replace(before)
	if bytes.Equal(before, after) {
		return false, nil
	}
	if filepath.Ext(file) == ".go" { // imports are sorted by their path
		if after, err = format.Source(after); err != nil {
			return false, err
		}
	}
	return true, os.WriteFile(file, after, info.Mode().Perm())
}
