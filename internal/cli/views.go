package cli

import (
	"cmp"
	_ "embed"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
)

const viewsLong = `Print the views of verifications for Temporal's Web UI: what waits, for whom, and
what failed. The Web UI keeps views in the browser, so open each link once in your
browser. With --bookmark it prints one line instead: save it as a bookmark, and
open that on the list page of the Web UI. It sets our columns and all views, and
renews the times in them, so open it again now and then.

Each view is empty when its work is done.`

// viewsScript is what --bookmark prints; docs/operations/observe.md shows it, and a test compares the two.
//
//go:embed views.js
var viewsScript string

// view is one of viewsScript's, with its times filled in.
type view struct {
	Name  string `json:"name"`
	Query string `json:"query"`
	Link  string `json:"link"`
}

func (t *tool) viewsCommand() *cobra.Command {
	ui, bookmark, output := "http://127.0.0.1:8233", false, newOutput()
	cmd := &cobra.Command{
		Use:     "views",
		Short:   "Print the views for Temporal's Web UI",
		Long:    viewsLong,
		Example: "  starter views --ui https://temporal.example.com\n  starter views --bookmark",
		RunE: func(*cobra.Command, []string) error {
			if bookmark {
				_, err := fmt.Fprintln(t.stdout, bookmarkOf(viewsScript))
				return err
			}
			return t.printViews(output.value, strings.TrimSuffix(ui, "/"))
		},
	}
	cmd.Flags().StringVar(&ui, "ui", ui, "`URL` of the Web UI")
	cmd.Flags().BoolVar(&bookmark, "bookmark", false, "print one line to keep as a bookmark")
	output.add(cmd, "output", "o", "how to print")
	return cmd
}

func (t *tool) printViews(output, ui string) error {
	if u, err := url.Parse(ui); err != nil || u.Host == "" {
		return usage(fmt.Errorf("--ui is no absolute URL; want one such as http://127.0.0.1:8233"))
	}
	namespace, err := t.namespace()
	if err != nil {
		return err
	}
	for _, v := range viewsOf(viewsScript, ui, namespace, t.now()) {
		if output == jsonOut {
			err = writeJSON(t.stdout, v)
		} else {
			_, err = fmt.Fprintf(t.stdout, "%s\n  %s\n  %s\n", v.Name, v.Query, v.Link)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// namespace is that of the connection; nothing is asked of Temporal.
func (t *tool) namespace() (string, error) {
	o, err := t.temporal()
	if err != nil {
		return "", usage(fmt.Errorf("read the TEMPORAL_ settings: %w", err))
	}
	return cmp.Or(o.Namespace, client.DefaultNamespace), nil
}

var viewLine = regexp.MustCompile("(?m)^ +\"([^\"]+)\": `([^`]+)`,$")

var viewTime = regexp.MustCompile(`\$\{(today|ago\((\d)\))\}`)

func viewsOf(script, ui, namespace string, now time.Time) (all []view) {
	for _, m := range viewLine.FindAllStringSubmatch(script, -1) {
		query := viewTime.ReplaceAllStringFunc(m[2], func(word string) string { return timeOf(word, now) })
		all = append(all, view{Name: m[1], Query: query, Link: ui + "/namespaces/" + url.PathEscape(namespace) +
			"/workflows?query=" + escaped(query) + "&savedQuery=" + escaped(m[1])})
	}
	return all
}

// escaped is as the Web UI writes it: a plus sign would stay one.
func escaped(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func timeOf(word string, now time.Time) string {
	if days := viewTime.FindStringSubmatch(word)[2]; days != "" {
		return now.AddDate(0, 0, -int(days[0]-'0')).UTC().Format(time.RFC3339)
	}
	y, m, d := now.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, now.Location()).UTC().Format(time.RFC3339)
}

func bookmarkOf(script string) string {
	return "javascript:" + strings.Join(strings.Fields(script), " ")
}
