package cli

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"didit-temporal/internal/program"
)

func TestHelpNeedsNoServer(t *testing.T) {
	for name, tc := range map[string]struct {
		args string
		want []string
	}{
		"the tool alone":    {"", []string{"starter setup", "starter start --user u1", "TEMPORAL_ADDRESS", "Exit code", "completion"}},
		"the tool":          {"--help", []string{"starter bulk -n 100"}},
		"help of start":     {"start --help", []string{"starter start --user u1 --wait", "--return-url", "interactive|bulk", "table|json", "--timeout", "1m0s"}},
		"help of status":    {"help status", []string{"starter status --user u1", "table|json"}},
		"help of setup":     {"setup -h", []string{"TEMPORAL_NAMESPACE=kyc-sandbox starter setup"}},
		"help of bulk":      {"bulk --help", []string{"starter bulk --file users.csv", "user_id,language,return_url", "(default 16)", "(default bulk)"}},
		"help of the codec": {"codec-server --help", []string{"CODEC_TOKENS", "127.0.0.1:8082", "127.0.0.1:9467"}},
		"a completion":      {"completion bash", []string{"bash completion"}},
		"completed output":  {"__complete start --output ", []string{"table\njson\n"}},
		"completed words":   {"__complete bulk --priority=", []string{"interactive\nbulk\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			var b bench
			args := strings.Split(tc.args, " ")
			if tc.args == "" {
				args = nil
			}
			require.NoError(t, b.run(t.Context(), args...))
			for _, want := range tc.want {
				assert.Contains(t, b.out.String(), want)
			}
			assert.Zero(t, b.dials)
		})
	}
}

func TestEveryCommandExplainsItselfWithExamples(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		assert.NotEmpty(t, cmd.Short, cmd.CommandPath())
		assert.NotEmpty(t, cmd.Long, cmd.CommandPath())
		assert.Contains(t, cmd.Example, "  ", "%s has no example", cmd.CommandPath())
		assert.Contains(t, cmd.Example, "starter ", cmd.CommandPath())
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	root := (&tool{}).root()
	root.Short = "starter" // its Long begins the help
	walk(root)
}

// An example that is wrong is worse than none: each must come as far as the connection.
func TestExamplesInTheHelpAreRight(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("users.csv", []byte("user_id,language,return_url\nu1,en,https://shop.example/welcome\nu2,pt-BR,\n"), 0o600))
	root := (&tool{}).root()
	examples := strings.Split(root.Example, "\n")
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "doctor", "codec-key", "codec-server", "views": // for the first a connection that fails is a finding, the others need none
			continue
		}
		examples = append(examples, strings.Split(cmd.Example, "\n")...)
	}
	tried := 0
	for _, line := range examples {
		at := strings.LastIndex(line, "starter ")
		if at < 0 {
			continue
		}
		line, _, _ = strings.Cut(strings.TrimPrefix(line[at:], "starter "), "  ") // what follows is a comment
		line, _, _ = strings.Cut(line, " |")
		tried++
		b := bench{stdin: "u1\nu2\n", dialError: errNotDialled, interactive: true}
		require.ErrorIs(t, b.line(t, line), errNotDialled, line)
	}
	assert.Greater(t, tried, 12)
}

func TestMistakesAreFoundBeforeTheServerIsCalled(t *testing.T) {
	const uuid = "11111111-2222-4333-8444-555555555555"
	for name, tc := range map[string]struct{ args, want string }{
		"an unknown command":              {"setups", "Did you mean this?\n\tsetup\nrun `starter --help` for the commands"},
		"a command like no other":         {"verify", "unknown command \"verify\" for \"starter\"\nrun `starter --help` for the commands"},
		"an unknown flag of the tool":     {"--user u1", "unknown flag: --user\nrun `starter --help` for the commands"},
		"an unknown flag of a command":    {"start --usr u1", "unknown flag: --usr\nrun `starter start --help` for its flags"},
		"an argument":                     {"start u1", "starter start takes no arguments, only flags"},
		"start without a user":            {"start", "required flag(s) \"user\" not set\nrun `starter start --help` for its flags"},
		"status without a user":           {"status", "required flag(s) \"user\" not set\nrun `starter status --help` for its flags"},
		"an order without anything":       {"decide", "\"actor\", \"reason\", \"status\", \"user\" not set\nrun `starter decide --help` for its flags"},
		"an order whose id is no UUID":    {"cancel --user u1 --actor jo --reason a:1 --id hunter2", "--id is not a UUID"},
		"a UUID in another form":          {"cancel --user u1 --actor jo --reason a:1 --id urn:uuid:" + uuid, "--id is not a UUID"},
		"an empty user":                   {"start --user=", "user_id is empty; want 1 to 128 letters"},
		"an e-mail address":               {"start --user eve@hunter2.example", "at position 4; want 1 to 128 letters, digits, '.', '_', ':' or '-'"},
		"an e-mail address in status":     {"status --user eve@hunter2.example", "an opaque id, never an e-mail address or a name"},
		"a user id that is too long":      {"start --user " + strings.Repeat("u", 129), "user_id has 129 bytes"},
		"a flow that is no UUID":          {"start --user u1 --workflow-id hunter2", "workflow_id is not a UUID"},
		"a UUID with more behind it":      {"start --user u1 --workflow-id " + uuid + "0", "workflow_id is not a UUID"},
		"a language that is a name":       {"start --user u1 --language English!", "language is not a language code"},
		"a return URL without a scheme":   {"start --user u1 --return-url shop.example/hunter2", "return_url is not an absolute http or https URL"},
		"a relative return URL":           {"start --user u1 --return-url /hunter2", "return_url is not an absolute http or https URL"},
		"a return URL that is a script":   {"start --user u1 --return-url javascript:alert(1)", "return_url is not an absolute http or https URL"},
		"a return URL without a host":     {"start --user u1 --return-url https:///hunter2", "return_url is not an absolute http or https URL"},
		"a return URL with a port alone":  {"start --user u1 --return-url https://:80/", "return_url is not an absolute http or https URL"},
		"an unknown priority":             {"start --user u1 --priority high", "want interactive or bulk\nrun `starter start --help`"},
		"an unknown output":               {"start --user u1 -o yaml", "want table or json"},
		"a timeout without a unit":        {"start --user u1 --timeout 60", "invalid argument \"60\" for \"--timeout\""},
		"no time at all":                  {"start --user u1 --timeout 0s", "--timeout is not above zero"},
		"less than no time, in status":    {"status --user u1 --timeout -1s", "--timeout is not above zero"},
		"two mistakes":                    {"start --user @ --timeout 0s", "at position 1; want 1 to 128 letters, digits, '.', '_', ':' or '-', the first a letter or digit; an opaque id, never an e-mail address or a name\n--timeout"},
		"no users to start":               {"bulk", "give one of --file users.csv and -n 100"},
		"a file and a number":             {"bulk --file users.csv -n 3", "give one of --file users.csv and -n 100"},
		"a negative number":               {"bulk -n -3", "-n is -3; want 1 to 100000"},
		"a number with one zero too many": {"bulk -n 1000000", "-n is 1000000; want 1 to 100000"},
		"no concurrency":                  {"bulk -n 3 --concurrency 0", "--concurrency is 0; want 1 to 256"},
		"too much concurrency":            {"bulk -n 3 --concurrency 257", "--concurrency is 257; want 1 to 256"},
		"no time for each user":           {"bulk -n 3 --timeout 0s", "--timeout is not above zero"},
		"an unknown priority in bulk":     {"bulk -n 3 --priority low", "want interactive or bulk"},
		"a file that is not there":        {"bulk --file no-such.csv", "read the users: open no-such.csv: no such file"},
		"a folder":                        {"bulk --file .", "read the users: read .: is a directory"},
		"an argument of setup":            {"setup now", "starter setup takes no arguments"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bench
			err := b.line(t, tc.args)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "hunter2", "the value was printed")
			assert.Zero(t, b.dials)
			assert.Empty(t, b.out.String(), "usage or part of a result was printed")
			assert.Empty(t, b.errOut.String())
		})
	}
}

func TestGoodInputsReachTheServer(t *testing.T) {
	for name, args := range map[string]string{
		"every flag of start":  "start -u u1 --workflow-id 11111111-2222-4333-8444-AAAAAAAAAAAA --language zh-CN --return-url http://localhost:3000/back?x=1#y --priority bulk --reverify --wait --timeout 90s -o json",
		"a longest user":       "start --user " + strings.Repeat("u", 128),
		"a long language code": "start --user u1 --language zh-Hant-TW",
		"most at once":         "bulk -n 100000 --concurrency 256 --priority interactive",
		"one at a time":        "bulk -n 1 --concurrency 1",
		"every flag of status": "status -u u1 -o json --timeout 1s",
	} {
		t.Run(name, func(t *testing.T) {
			b := bench{dialError: errNotDialled}
			require.ErrorIs(t, b.line(t, args), errNotDialled)
		})
	}
}

func TestSettingsOfTheConnectionAreReadWhenNeeded(t *testing.T) {
	broken := errors.New("unable to parse TEMPORAL_TLS")
	asked := 0
	p := program.Process{Stdout: new(bytes.Buffer), Stderr: new(bytes.Buffer)}
	settings := func() (client.Options, error) {
		asked++
		return client.Options{}, broken
	}
	p.Args = []string{"--help"}
	require.NoError(t, Run(t.Context(), p, settings))
	assert.Zero(t, asked)
	p.Args = []string{"setup"}
	err := Run(t.Context(), p, settings)
	require.ErrorIs(t, err, broken)
	assert.ErrorContains(t, err, "read the TEMPORAL_ settings")
}
