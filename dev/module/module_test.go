package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/checkout"
	"didit-temporal/dev/skip"
)

func TestOnlyThePathIsReplacedAndNotTheName(t *testing.T) {
	replace := replacer("acme", "example.com/x/y")
	for before, after := range map[string]string{
		`import "acme/kyc"`:                   `import "example.com/x/y/kyc"`,
		`-X acme/internal/version.version=v1`: `-X example.com/x/y/internal/version.version=v1`,
		"module acme\n":                       "module example.com/x/y\n",
		"module acme/dev\n":                   "module example.com/x/y/dev\n",
		`"module acme\n\ngo 1.26"`:            `"module example.com/x/y\n\ngo 1.26"`,
		"\tacme v0.0.0\n":                     "\texample.com/x/y v0.0.0\n",
		"replace acme => ../\n":               "replace example.com/x/y => ../\n",
		"The module's name is `acme`: ":       "The module's name is `example.com/x/y`: ",
		`const module = "acme"`:               `const module = "example.com/x/y"`,

		"image: acme:local":                "image: acme:local",
		`import x from 'acme';`:            `import x from 'acme';`,
		"https://acme.example/acme/issues": "https://acme.example/acme/issues",
		"acme/":                            "acme/",
	} {
		require.Equal(t, after, string(replace([]byte(before))))
	}
}

// The spoken form, whose variable is also the shell's: what is renamed still builds, and a second name leaves no
// trace of the first.
func TestOneCommandRenamesTheModule(t *testing.T) {
	skip.Long(t)
	dir := t.TempDir()
	require.NoError(t, checkout.Copy(t.Context(), dir))
	command(t, dir, "make", "module", "PATH=example.com/x/y")

	left, err := checkout.Git(t.Context(), dir, "grep", "-nE", `(^|[^[:alnum:]./@-])didit-temporal/[a-z]|(module|replace) didit-temporal`)
	require.Error(t, err, "git grep finds nothing") // its exit code then is 1
	require.Empty(t, left)
	for _, module := range []string{dir, filepath.Join(dir, "dev"), filepath.Join(dir, "dev", "temporal")} {
		command(t, module, "go", "build", "./...")
		command(t, module, "go", "vet", "./...")
	}
	command(t, dir, "go", "test", "./internal/arch")
	command(t, dir, "make", "fmt-check", "packages-check")

	command(t, dir, "git", "add", "-A")
	first, err := checkout.Git(t.Context(), dir, "write-tree")
	require.NoError(t, err)
	command(t, dir, "make", "module", "PATH=example.org/z")
	command(t, dir, "make", "module", "PATH=example.com/x/y")
	command(t, dir, "git", "add", "-A")
	again, err := checkout.Git(t.Context(), dir, "write-tree")
	require.NoError(t, err)
	require.Equal(t, first, again)
}

func command(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %v\n%s", name, args, out)
}
