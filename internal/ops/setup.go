package ops

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

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

// SearchAttributes compares what verifications need with what the namespace has. Where the operator service is closed to this
// client, as on Temporal Cloud, it asks the visibility store, which knows what is there and not of which type.
func (c *Client) SearchAttributes(ctx context.Context) ([]SearchAttribute, error) {
	have, err := c.Temporal().OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: c.Namespace()})
	if Denied(err) {
		return c.probeSearchAttributes(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("list the search attributes of namespace %s: %w", c.Namespace(), err)
	}
	found := slices.Clone(searchAttributes)
	for i, a := range found {
		found[i].Have = have.GetCustomAttributes()[a.Name]
	}
	return found, nil
}

// Denied reports whether this client may not make a call, or the server does not offer it.
func Denied(err error) bool {
	return errors.As(err, new(*serviceerror.PermissionDenied)) || errors.As(err, new(*serviceerror.Unimplemented))
}

// probeSearchAttributes queries by each attribute: the server refuses a query by one that is missing.
func (c *Client) probeSearchAttributes(ctx context.Context) ([]SearchAttribute, error) {
	found := slices.Clone(searchAttributes)
	for i, a := range found {
		query := fmt.Sprintf("WorkflowId = '%s' AND %s IS NULL", noVerification, a.Name)
		_, err := c.Temporal().CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: c.Namespace(), Query: query})
		switch {
		case errors.As(err, new(*serviceerror.InvalidArgument)):
		case err != nil:
			return nil, fmt.Errorf("look for search attribute %s in namespace %s: %w", a.Name, c.Namespace(), err)
		default:
			found[i].Have = a.Type
		}
	}
	return found, nil
}

// noVerification is an id that no workflow has, which makes a query cheap.
const noVerification = "kyc~none"

// Setup registers the missing search attributes and returns what it found before, also when it may not register them. It may
// run at any time.
func (c *Client) Setup(ctx context.Context) ([]SearchAttribute, error) {
	found, err := c.SearchAttributes(ctx)
	if err != nil {
		return nil, err
	}
	if err := CheckTypes(found, c.Namespace()); err != nil {
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
		return found, fmt.Errorf("register search attributes in namespace %s: %w", c.Namespace(), err)
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
	if err := CheckTypes(found, c.Namespace()); err != nil {
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

// CheckTypes returns an error that says what to do when a search attribute has another type.
func CheckTypes(found []SearchAttribute, namespace string) error {
	for _, a := range found {
		if !a.Missing() && a.Have != a.Type {
			return fmt.Errorf("search attribute %s of namespace %s has type %v, want %v: remove it with "+
				"`temporal operator search-attribute remove --name %s`, then run `starter setup`", a.Name, namespace, a.Have, a.Type, a.Name)
		}
	}
	return nil
}

// WantedRetention is how long a namespace should keep closed verifications. A user who comes back later is verified, and paid for,
// again.
const WantedRetention = 30 * 24 * time.Hour

// Retention returns how long the namespace keeps closed verifications.
func (c *Client) Retention(ctx context.Context) (time.Duration, error) {
	d, err := c.Temporal().WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: c.Namespace()})
	if err != nil {
		return 0, fmt.Errorf("describe namespace %s: %w", c.Namespace(), err)
	}
	return d.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(), nil
}

// OnCloud reports whether a connection with these options reaches Temporal Cloud: by the host, or, through a private link or a
// proxy, by the name that TLS expects there.
func OnCloud(o client.Options) bool {
	names := []string{hostOf(o.HostPort)}
	if tls := o.ConnectionOptions.TLS; tls != nil {
		names = append(names, tls.ServerName)
	}
	return slices.ContainsFunc(names, func(name string) bool {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		return strings.HasSuffix(name, ".tmprl.cloud") || strings.HasSuffix(name, ".api.temporal.io")
	})
}

// hostOf drops the port, and what the SDK takes in front of an address, such as dns:///.
func hostOf(address string) string {
	address = address[strings.LastIndex(address, "/")+1:]
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// RetentionCommand is what an administrator of Temporal Cloud runs so that a namespace keeps closed verifications for
// WantedRetention.
func RetentionCommand(namespace string) string {
	return fmt.Sprintf("tcld namespace retention set --namespace %s --retention-days %.0f", namespace, WantedRetention.Hours()/24)
}
