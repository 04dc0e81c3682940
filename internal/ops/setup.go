package ops

import (
	"context"
	"fmt"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"

	"didit-temporal/kyc"
)

// SearchAttribute is a search attribute that verifications need, and its type in the namespace.
type SearchAttribute struct {
	Name string
	Type enumspb.IndexedValueType
	// Have is the type it has in the namespace; unspecified where it is missing.
	Have enumspb.IndexedValueType
}

// Missing reports whether the attribute must be registered.
func (a SearchAttribute) Missing() bool { return a.Have == enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED }

// searchAttributes is in the order in which they are shown.
var searchAttributes = []SearchAttribute{
	{Name: kyc.AttributeStatus, Type: enumspb.INDEXED_VALUE_TYPE_KEYWORD},
	{Name: kyc.AttributeOutcome, Type: enumspb.INDEXED_VALUE_TYPE_KEYWORD},
	{Name: kyc.AttributeWaitingFor, Type: enumspb.INDEXED_VALUE_TYPE_KEYWORD},
	{Name: kyc.AttributeErrorType, Type: enumspb.INDEXED_VALUE_TYPE_KEYWORD},
	{Name: kyc.AttributeSessionID, Type: enumspb.INDEXED_VALUE_TYPE_KEYWORD},
	{Name: kyc.AttributeFlow, Type: enumspb.INDEXED_VALUE_TYPE_KEYWORD},
	{Name: kyc.AttributeAttempt, Type: enumspb.INDEXED_VALUE_TYPE_INT},
	{Name: kyc.AttributeDeadline, Type: enumspb.INDEXED_VALUE_TYPE_DATETIME},
}

// SearchAttributes compares what verifications need with what the namespace has.
func (c *Client) SearchAttributes(ctx context.Context) ([]SearchAttribute, error) {
	have, err := c.Temporal().OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: c.Namespace()})
	if err != nil {
		return nil, fmt.Errorf("list the search attributes of namespace %s: %w", c.Namespace(), err)
	}
	found := slices.Clone(searchAttributes)
	for i, a := range found {
		found[i].Have = have.GetCustomAttributes()[a.Name]
	}
	return found, nil
}

// Setup registers the missing search attributes and returns what it found before. It may run at any time.
func (c *Client) Setup(ctx context.Context) ([]SearchAttribute, error) {
	found, err := c.SearchAttributes(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkTypes(found, c.Namespace()); err != nil {
		return found, err
	}
	add := map[string]enumspb.IndexedValueType{}
	for _, a := range found {
		if a.Missing() {
			add[a.Name] = a.Type
		}
	}
	if len(add) == 0 {
		return found, nil
	}
	_, err = c.Temporal().OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: c.Namespace(), SearchAttributes: add,
	})
	if err != nil {
		return found, fmt.Errorf("register search attributes in namespace %s (on Temporal Cloud do it in the console or with tcld): %w", c.Namespace(), err)
	}
	return found, nil
}

// CheckSetup returns an error that says what to do when the namespace lacks a search attribute: without it no
// verification proceeds.
func (c *Client) CheckSetup(ctx context.Context) error {
	found, err := c.SearchAttributes(ctx)
	if err != nil {
		return err
	}
	if err := checkTypes(found, c.Namespace()); err != nil {
		return err
	}
	var missing []string
	for _, a := range found {
		if a.Missing() {
			missing = append(missing, a.Name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("namespace %s lacks the search attributes %s: run `starter setup` once", c.Namespace(), strings.Join(missing, ", "))
	}
	return nil
}

func checkTypes(found []SearchAttribute, namespace string) error {
	for _, a := range found {
		if !a.Missing() && a.Have != a.Type {
			return fmt.Errorf("search attribute %s of namespace %s has type %v, want %v: remove it with "+
				"`temporal operator search-attribute remove --name %s`, then run `starter setup`", a.Name, namespace, a.Have, a.Type, a.Name)
		}
	}
	return nil
}
