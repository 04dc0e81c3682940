package kyc_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/contrib/envconfig"

	"didit-temporal/kyc"
)

// A signup service starts a user and redirects the browser. It may do so again whenever the user comes back.
func ExampleClient_Start() {
	ctx := context.Background()
	options, err := envconfig.LoadDefaultClientOptions() // TEMPORAL_ADDRESS, ...
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := kyc.Dial(ctx, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	soon, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	started, err := c.Start(soon, kyc.Input{UserID: "u-1042", ReturnURL: "https://shop.example/welcome"})
	var refused *kyc.SessionError
	switch {
	case errors.As(err, &refused):
		fmt.Println("an operator must act:", refused.Type, kyc.Hint(refused.Type))
	case soon.Err() != nil:
		fmt.Println("Didit's limit makes the user wait; start again for the URL")
	case err != nil:
		fmt.Println(err)
	case started.State.Outcome.Decided():
		fmt.Println("known already:", started.State.Outcome)
	default:
		fmt.Println("redirect to", started.Session.URL)
	}
}

// A page that the user comes back to asks how it stands. What the browser brings along is not signed.
func ExampleClient_State() {
	show := func(ctx context.Context, c *kyc.Client, userID string) (string, error) {
		state, err := c.State(ctx, userID)
		switch {
		case errors.Is(err, kyc.ErrNotFound):
			return "not started", nil
		case err != nil:
			return "", err
		case state.Outcome == "":
			return "still " + string(state.Status), nil
		}
		return string(state.Outcome), nil
	}
	_ = show
}

// A program that has time waits for the end, minutes to weeks later.
func ExampleClient_Wait() {
	admit := func(ctx context.Context, c *kyc.Client, userID string) (bool, error) {
		state, err := c.Wait(ctx, userID)
		if err != nil {
			return false, err
		}
		return state.Outcome == kyc.OutcomeApproved, nil
	}
	_ = admit
}

func ExampleWorkflowID() {
	fmt.Println(kyc.WorkflowID("u-1042"))
	// Output: kyc-u-1042
}

func ExampleInput_Validate() {
	fmt.Println(kyc.Input{UserID: "u-1042", Language: "pt-BR"}.Validate())
	fmt.Println(kyc.Input{UserID: "u-1042", ReturnURL: "/welcome"}.Validate())
	// Output:
	// <nil>
	// invalid input: return_url is not an absolute http or https URL, or a link of an app such as myapp://done, of at most 2048 bytes
}

func ExampleHint() {
	fmt.Println(kyc.Hint(kyc.ErrorTypeOutOfCredit))
	// Output: the Didit account has no credit: top it up
}
