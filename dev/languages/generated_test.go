package languages

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
)

const apiToken = "languages-token-of-the-api"

func (s *system) serveAPI() (url string) {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(s.t, err)
	c := s.dial()
	cfg := config.Starter{Tokens: []config.Token{{Name: "generated", Value: config.NewSecret(apiToken)}}}
	s.process(func(ctx context.Context) error { return app.ServeStarter(ctx, listener, c, cfg, discarded()) })
	return "http://" + listener.Addr().String()
}

// generators make a client of openapi.json in a folder, check it with what uses it, and return the command that runs that.
var generators = map[string]func(t *testing.T, dir string) []string{
	"typescript": func(t *testing.T, dir string) []string {
		t.Helper()
		run(t, dir, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		bin := filepath.Join(dir, "node_modules", ".bin")
		run(t, dir, filepath.Join(bin, "openapi-typescript"), "openapi.json", "-o", "api.d.ts")
		run(t, dir, filepath.Join(bin, "tsc"), "-p", ".")
		return []string{"node", filepath.Join(dir, "life.js")}
	},
	"python": func(t *testing.T, dir string) []string {
		t.Helper()
		run(t, dir, "python3", "-m", "venv", "venv")
		bin := filepath.Join(dir, "venv", "bin")
		run(t, dir, filepath.Join(bin, "python"), "-m", "pip", "install", "--quiet", "--no-deps", "-r", "requirements.txt")
		env := []string{"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "MYPYPATH=" + filepath.Join(dir, "client")}
		runWith(t, dir, env, filepath.Join(bin, "openapi-python-client"), "generate", "--path", "openapi.json", "--output-path", "client")
		runWith(t, dir, env, filepath.Join(bin, "python"), "-m", "mypy", "--strict", "life.py")
		require.NoError(t, os.Rename(filepath.Join(dir, "life.py"), filepath.Join(dir, "client", "life.py"))) // beside the package
		return []string{filepath.Join(bin, "python"), filepath.Join(dir, "client", "life.py")}
	},
}

// What a generator makes of the description must compile, and mean what the API does.
func TestGeneratedClientsLiveAUsersLife(t *testing.T) {
	needsLanguages(t)
	for _, l := range all {
		t.Run(l.name, func(t *testing.T) {
			l.tools(t) // skips where it cannot be installed
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS("generated")))
			description, err := os.ReadFile(filepath.Join("..", "..", "starter", "api", "openapi.json"))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "openapi.json"), description, 0o600))
			command := generators[l.name](t, dir)

			s := start(t, "", "")
			p := launch(t, command, []string{"API=" + s.serveAPI(), "TOKEN=" + apiToken})
			assert.Equal(t, "start 201", strings.TrimSpace(p.line()))
			url := p.line()
			require.Equal(t, "url "+s.sim.SessionsOf("generated")[0].URL, url)
			s.moves("generated", didit.StatusApproved)
			s.closed("generated")
			_, err = p.stdin.Write([]byte("\n"))
			require.NoError(t, err)
			for _, want := range []string{
				"wait 200", "outcome approved", "decide 200", "after Declined true", "history 200", "actor generated:anna", "list 200",
			} {
				assert.Equal(t, want, strings.TrimSpace(p.line()))
			}
			assert.Contains(t, []string{"listed 0", "listed 1", "listed 2"}, p.line(), "the verdict, and the decision after it; the list lags behind by a moment")
			for _, want := range []string{
				"cancel 409 /problems/refused", "start 201", "refresh 200", "refreshed Not Started", "cancel 200", "cancelled cancelled",
			} {
				assert.Equal(t, want, strings.TrimSpace(p.line()))
			}
			for line := strings.TrimSpace(p.line()); line != "gone 404 /problems/no-such-verification"; line = strings.TrimSpace(p.line()) {
				require.Contains(t, []string{"erase 202", "erase 200"}, line)
			}
		})
	}
}
