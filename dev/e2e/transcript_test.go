package e2e

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/webhook/receiver"
)

// What differs from run to run in a transcript, what a person types, and where the text is cut for a reader.
var volatile = regexp.MustCompile(`/session/\S+|: [A-Z0-9]{6}$|: \*\*\*$|[0-9a-f]{8}-…|\.\.\.$`)

// transcript returns the commands of a page's console block, and the pieces of text that they print, in their order.
func transcript(t *testing.T, page string) (commands, printed []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", page))
	require.NoError(t, err)
	_, block, found := strings.Cut(string(text), "```console\n")
	require.True(t, found)
	block, _, _ = strings.Cut(block, "```")
	for line := range strings.Lines(block) {
		line = strings.TrimSuffix(line, "\n")
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			commands = append(commands, command)
		} else {
			printed = append(printed, volatile.Split(line, -1)...)
		}
	}
	return commands, printed
}

const transcriptEnded = "the transcript has ended"

// shell runs the commands of a transcript, up to the first that fails, in a folder that has the programs. What they have
// left running ends with the test.
func (n *newcomer) shell(commands []string) (said *logs, person io.Writer) {
	n.t.Helper()
	folder := n.t.TempDir()
	require.NoError(n.t, os.Mkdir(filepath.Join(folder, "bin"), 0o700))
	for name, program := range n.programs {
		require.NoError(n.t, os.Symlink(program, filepath.Join(folder, "bin", name)))
	}
	cmd := exec.CommandContext(context.WithoutCancel(n.t.Context()), "sh", "-ec", strings.Join(append(commands, "echo "+transcriptEnded), "\n"))
	cmd.Env, cmd.Dir = n.command(n.t.Context(), "starter").Env, folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	said = &logs{}
	cmd.Stdout, cmd.Stderr = said, said
	person, err := cmd.StdinPipe()
	require.NoError(n.t, err)
	require.NoError(n.t, cmd.Start())
	n.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // the shell's children too
		_ = cmd.Wait()                                      // transcriptEnded says how it went
	})
	return said, person
}

// The README's transcript is run as it stands there, but for the addresses and the first line, which starts the simulator:
// from an account that does not exist to a verified person.
func TestTheReadmesTranscript(t *testing.T) {
	t.Parallel()
	n := arrive(t, options{})
	commands, printed := transcript(t, "README.md")
	here := strings.NewReplacer("http://127.0.0.1:8090", n.simURL, "http://127.0.0.1:8080"+receiver.Path, n.webhookURL)
	for i := range commands {
		commands[i] = here.Replace(commands[i])
	}
	said, person := n.shell(commands[1:])
	_, err := io.WriteString(person, "hunter2-Str0ng!\n")
	require.NoError(t, err)
	var code string
	n.eventually(func() (sent bool) { code, sent = n.sim.LastCode("you@your-domain"); return sent }, "the code")
	_, err = io.WriteString(person, code+"\n")
	require.NoError(t, err)
	n.eventually(func() bool { return said.contain("webhook listens") && said.contain("url  ", "/session/") }, "a link to open")
	n.press(sessionURL.FindString(said.String()), "approve")
	n.eventually(func() bool { return said.contain(transcriptEnded) }, "the verdict")

	rest := said.String()
	for _, want := range printed {
		_, after, found := strings.Cut(rest, here.Replace(want))
		require.True(t, found, "%q is not in:\n%s", want, rest)
		rest = after
	}
}
