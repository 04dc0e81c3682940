package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/kyc/codec"
)

const codecServerLong = `Decrypt payloads for Temporal's Web UI and command line, so that operators can
read what PAYLOAD_KEYS encrypted. Set TEMPORAL_CODEC_ENDPOINT of the Web UI to the
URL of this server. The operator's browser calls it, so it must be reachable from
there, and from nowhere else.

A Web UI with a login can pass its own token on
(TEMPORAL_CODEC_PASS_ACCESS_TOKEN), but this server knows only those of
CODEC_TOKENS. So set TEMPORAL_CODEC_INCLUDE_CREDENTIALS instead, and open /login
of this server once a day, in the same browser. docs/guides/encrypt.md has the rest.

Environment (a secret may also come from the file that NAME_FILE names):

`

func (t *tool) codecServerCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "codec-server",
		Short:   "Decrypt payloads for the Web UI",
		Long:    codecServerLong + settingsOf("starter codec-server"),
		Example: `  PAYLOAD_KEYS=k1:... CODEC_TOKENS=$(openssl rand -hex 24) starter codec-server`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.ForCodec(t.getenv)
			if err != nil {
				return usage(fmt.Errorf("Invalid configuration:\n%w", err)) //nolint:staticcheck // it begins a text
			}
			return app.RunCodec(cmd.Context(), cfg, config.NewLogger(t.stdout, cfg.Telemetry.LogLevel, cfg.Telemetry.LogFormat))
		},
	}
}

const codecKeyLong = `Make a key for PAYLOAD_KEYS and print it: 32 random bytes in base64, with an id
before them. It is the only copy: without it, what it encrypted is lost.

To replace a key, every process first gets the new one at the end of PAYLOAD_KEYS,
then at the beginning. Take the old one out when Temporal has deleted every run that
began before that (docs/guides/encrypt.md).`

func (t *tool) codecKeyCommand() *cobra.Command {
	var id string
	cmd := &cobra.Command{
		Use:   "codec-key",
		Short: "Make a key that encrypts payloads",
		Long:  codecKeyLong,
		Example: `  starter codec-key
  starter codec-key --id k1`,
		RunE: func(*cobra.Command, []string) error {
			if id == "" {
				id = t.now().UTC().Format("k" + time.DateOnly)
			}
			entry, err := codec.Generate(id)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(t.stdout, entry)
			return err
		},
	}
	cmd.Flags().StringVar(&id, "id", "", "`name` of the key, plain text in every payload (default: the date)")
	return cmd
}
