package cli

import (
	"fmt"
	"strings"
	"time"

	"didit-temporal/internal/ops"
)

// cloudSteps are what an administrator of a namespace at Temporal Cloud runs so that it has what verifications need; empty if
// nothing is left to do.
func cloudSteps(namespace string, found []ops.SearchAttribute, kept time.Duration) string {
	var b, missing strings.Builder
	for _, a := range found {
		if a.Missing() {
			fmt.Fprintf(&missing, " \\\n    --search-attribute %q", a.Name+"="+a.Type.String())
		}
	}
	if missing.Len() > 0 {
		fmt.Fprintf(&b, "  tcld namespace search-attributes add --namespace %s%s\n", namespace, missing.String())
	}
	if kept < ops.WantedRetention {
		fmt.Fprintf(&b, "  %s\n", ops.RetentionCommand(namespace))
	}
	if b.Len() == 0 {
		return ""
	}
	return fmt.Sprintf("This is Temporal Cloud, where no client changes a namespace. An administrator of %s runs, after `tcld login`:\n%s"+
		"or adds the same in the Web UI: https://cloud.temporal.io/namespaces, %s, Edit. Then run `starter setup` again.\n",
		namespace, b.String(), namespace)
}

// operatorSteps are what an administrator of a Temporal of one's own runs.
func operatorSteps(namespace string, found []ops.SearchAttribute) string {
	var b strings.Builder
	fmt.Fprintf(&b, "This client may not register search attributes. An administrator of namespace %s runs:\n"+
		"  temporal operator search-attribute create --namespace %s", namespace, namespace)
	for _, a := range found {
		if a.Missing() {
			fmt.Fprintf(&b, " \\\n    --name %s --type %s", a.Name, a.Type)
		}
	}
	b.WriteString("\nThen run `starter setup` again.\n")
	return b.String()
}
