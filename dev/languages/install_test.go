package languages

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
)

// language is one that has a client here, with its pinned packages in a temporary folder.
type language struct {
	name    string
	needs   []string                               // programs
	reach   []string                               // a command that fails where the registry cannot be reached
	install func(t *testing.T, dir string) toolset // of a copy of the repository's part
}

// toolset is how to run what was installed.
type toolset struct {
	driver, verify, receive, tests []string // commands
	env                            []string
	check                          [][]string // compilers and type checkers
}

// copied are the folders that the clients' tests and the examples need.
var copied = []string{"clients", "docs/examples", "kyc/codec/testdata"}

var all = []*language{
	{name: "python", needs: []string{"python3"}, reach: []string{"python3", "-m", "pip", "index", "versions", "temporalio"}, install: installPython},
	{name: "typescript", needs: []string{"node", "npm"}, reach: []string{"npm", "ping"}, install: installTypeScript},
}

func installPython(t *testing.T, dir string) toolset {
	t.Helper()
	client := filepath.Join(dir, "clients", "python")
	run(t, dir, "python3", "-m", "venv", "venv")
	python := filepath.Join(dir, "venv", "bin", "python")
	run(t, client, python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", "requirements-test.txt")
	examples := filepath.Join(dir, "docs", "examples", "python")
	return toolset{
		driver:  []string{python, filepath.Join(client, "tests", "driver.py")},
		verify:  []string{python, filepath.Join(examples, "verify.py")},
		receive: []string{python, filepath.Join(examples, "receive.py")},
		tests:   []string{python, "-m", "unittest", "discover", "-s", filepath.Join(client, "tests")},
		env:     []string{"PYTHONPATH=" + filepath.Join(client, "src"), "MYPYPATH=" + filepath.Join(client, "src")},
		check: [][]string{
			{python, "-m", "mypy", "--strict", filepath.Join(client, "src"), filepath.Join(client, "tests")},
			{python, "-m", "mypy", "--strict", filepath.Join(examples, "verify.py")},
			{python, "-m", "mypy", "--strict", filepath.Join(examples, "receive.py")},
		},
	}
}

func installTypeScript(t *testing.T, dir string) toolset {
	t.Helper()
	client, examples := filepath.Join(dir, "clients", "typescript"), filepath.Join(dir, "docs", "examples", "typescript")
	run(t, client, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	run(t, client, "npm", "run", "build")
	modules := filepath.Join(client, "node_modules")
	require.NoError(t, os.Symlink(client, filepath.Join(modules, "didit-temporal")))
	require.NoError(t, os.Symlink(modules, filepath.Join(examples, "node_modules")))
	return toolset{
		driver:  []string{"node", filepath.Join(client, "dist", "test", "driver.js")},
		verify:  []string{"node", filepath.Join(examples, "verify.js")},
		receive: []string{"node", filepath.Join(examples, "receive.js")},
		tests:   []string{"node", "--test", filepath.Join(client, "dist", "test", "codec.test.js")},
		check:   [][]string{{filepath.Join(modules, ".bin", "tsc"), "-p", examples}},
	}
}

var (
	installing sync.Mutex
	installed  = map[string]toolset{}
)

// tools installs the language's packages, once. It skips where there is no such language or its registry cannot be
// reached.
func (l *language) tools(t *testing.T) toolset {
	t.Helper()
	needsLanguages(t)
	installing.Lock()
	defer installing.Unlock()
	if tools, done := installed[l.name]; done {
		return tools
	}
	for _, program := range l.needs {
		if _, err := exec.LookPath(program); err != nil {
			skip.Missing(t, program+" is not installed")
		}
	}
	if out, err := exec.CommandContext(t.Context(), l.reach[0], l.reach[1:]...).CombinedOutput(); err != nil {
		skip.Missing(t, fmt.Sprintf("%s: %v: %s", strings.Join(l.reach, " "), err, out))
	}
	dir := copyOfRepository(t, l.name)
	installed[l.name] = l.install(t, dir)
	return installed[l.name]
}

// root is where TestMain keeps what is installed.
var root string

func copyOfRepository(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(root, name)
	for _, folder := range copied {
		require.NoError(t, os.CopyFS(filepath.Join(dir, folder), os.DirFS(filepath.Join("..", "..", folder))))
	}
	for _, left := range []string{"clients/typescript/node_modules", "clients/typescript/dist"} { // of a developer
		require.NoError(t, os.RemoveAll(filepath.Join(dir, left)))
	}
	return dir
}

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if root, err = os.MkdirTemp("", "languages-*"); err != nil {
			return 1
		}
		defer func() { _ = os.RemoveAll(root) }()
		return m.Run()
	}())
}

// run runs a command that must succeed.
func run(t *testing.T, dir string, command ...string) {
	t.Helper()
	runWith(t, dir, nil, command...)
}

func runWith(t *testing.T, dir string, env []string, command ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%v\n%s", command, out)
}

// The clients' own tests, and the checks of types of clients and examples.
func TestEachLanguageChecksItself(t *testing.T) {
	for _, l := range all {
		t.Run(l.name, func(t *testing.T) {
			tools := l.tools(t)
			for _, command := range append(tools.check, tools.tests) {
				runWith(t, root, tools.env, command...)
			}
		})
	}
}
