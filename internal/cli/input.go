package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"didit-temporal/kyc"
)

// check finds what is wrong with an input before anything is started. Its errors name the field and the rule, never
// the value: a file of the wrong kind may be full of names and addresses.
func check(in kyc.Input) error { return invalid("", in.Validate()) }

// invalid makes an error of usage of one of kyc's. The prefix goes before the field that it names.
func invalid(prefix string, err error) error {
	if err == nil {
		return nil
	}
	return usage(errors.New(prefix + strings.TrimPrefix(err.Error(), kyc.ErrInvalidInput.Error()+": ")))
}

func checkTimeout(d time.Duration) error {
	if d <= 0 {
		return usage(errors.New("--timeout is not above zero; want a duration such as 90s or 5m"))
	}
	return nil
}

// choice is a flag that takes one of a few words.
type choice struct {
	value string
	words []string
}

func (c *choice) String() string { return c.value }

// Type is what the help shows for the value.
func (c *choice) Type() string { return strings.Join(c.words, "|") }

// Set implements pflag.Value.
func (c *choice) Set(s string) error {
	if !slices.Contains(c.words, s) {
		return fmt.Errorf("want %s", strings.Join(c.words, " or "))
	}
	c.value = s
	return nil
}

// add defines the flag and its completion in a shell.
func (c *choice) add(cmd *cobra.Command, name, short, usage string) {
	cmd.Flags().VarP(c, name, short, usage)
	// It fails for a flag that is not defined, and this one is.
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(c.words, cobra.ShellCompDirectiveNoFileComp))
}

// required marks flags that must be given.
func required(cmd *cobra.Command, flags ...string) {
	for _, name := range flags {
		_ = cmd.MarkFlagRequired(name) // it fails for a flag that is not defined
	}
}

func newPriority(p kyc.Priority) choice {
	return choice{value: string(p), words: []string{string(kyc.PriorityInteractive), string(kyc.PriorityBulk)}}
}

const (
	table   = "table"
	jsonOut = "json"
)

func newOutput() choice { return choice{value: table, words: []string{table, jsonOut}} }

// noArguments is cobra.NoArgs with words that help: arguments are flags here.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(fmt.Errorf("%s takes no arguments, only flags\nrun `%s --help` for them", cmd.CommandPath(), cmd.CommandPath()))
	}
	return nil
}
