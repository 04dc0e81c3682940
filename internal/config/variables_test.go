package config_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
)

const (
	root         = "../../"
	settingsPage = "docs/reference/settings.md"
)

// The page holds the rendering of Variables, word for word.
func TestTheSettingsPageListsTheVariables(t *testing.T) {
	b, _ := os.ReadFile(root + settingsPage) // a missing file is one without the markers
	_, rest, begun := strings.Cut(string(b), "<!-- env:begin -->")
	got, _, ended := strings.Cut(rest, "<!-- env:end -->")
	if want := table(); !begun || !ended || strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Fatalf("%s is out of date. Put this between the markers:\n\n<!-- env:begin -->\n%s<!-- env:end -->\n", settingsPage, want)
	}
}

// .env.example names every variable that has a fixed name, set or commented out, and no other.
func TestEnvExampleListsTheVariables(t *testing.T) {
	b, err := os.ReadFile(root + ".env.example")
	require.NoError(t, err)
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^#?([A-Z][A-Z0-9_]*)=`).FindAllStringSubmatch(string(b), -1) {
		got = append(got, m[1])
	}
	for _, v := range config.Variables() {
		if !strings.HasSuffix(v.Name, "*") {
			assert.Contains(t, got, v.Name)
		}
	}
	own := []string{"POSTGRES_PASSWORD"} // docker-compose.yml alone reads these
	for _, name := range got {
		known := slices.ContainsFunc(config.Variables(), func(v config.Variable) bool {
			return strings.TrimSuffix(name, "_FILE") == v.Name ||
				strings.HasSuffix(v.Name, "*") && strings.HasPrefix(name, strings.TrimSuffix(v.Name, "*"))
		})
		assert.True(t, known || slices.Contains(own, name), "%s is in .env.example but nothing reads it", name)
	}
}

// docker-compose.yml hands every setting of a server on: one that it forgot would be set in .env and change nothing.
func TestComposePassesTheVariables(t *testing.T) {
	b, err := os.ReadFile(root + "docker-compose.yml")
	require.NoError(t, err)
	for _, v := range config.Variables() {
		for who := range strings.SplitSeq(v.Who, ", ") {
			// What all need stands in the service that the others take it from.
			from := map[string]string{"worker": "worker", "webhook": "webhook", "starter serve": "api", "starter codec-server": "codec", "all": "setup"}[who]
			if from != "" && !strings.HasSuffix(v.Name, "*") && v.Name != "TEMPORAL_API_KEY" {
				_, service, _ := strings.Cut(string(b), "\n  "+from+":\n")
				service, _, _ = strings.Cut(service, "\n\n")
				assert.Contains(t, service, "\n      "+v.Name+": ", "service %s", from)
			}
		}
	}
}

// Both files together start everything twice: two services that want one port would keep each other from starting.
func TestComposePublishesEachPortOnce(t *testing.T) {
	published := regexp.MustCompile(`"127\.0\.0\.1:(\d+):\d+"`)
	seen := map[string]string{}
	for _, file := range []string{"docker-compose.yml", "docker-compose.second.yml"} {
		b, err := os.ReadFile(root + file)
		require.NoError(t, err)
		for _, m := range published.FindAllStringSubmatch(string(b), -1) {
			assert.Empty(t, seen[m[1]], "port %s of %s is published by another service", m[1], file)
			seen[m[1]] = file
		}
	}
	assert.GreaterOrEqual(t, len(seen), 7, "the pattern finds them")
}

// Each process reads exactly the variables that the table gives it; Temporal's are read by its SDK.
func TestTableIsWhatIsRead(t *testing.T) {
	for who, read := range map[string]func(config.Getenv) error{
		"worker":  func(g config.Getenv) error { _, err := config.ForWorker(g); return err },
		"webhook": func(g config.Getenv) error { _, err := config.ForWebhook(g); return err },

		"starter setup": func(g config.Getenv) error {
			_, err := config.ForAccount(g)
			_, wrong := config.PayloadKeys(g) // as for every connection of the starter's
			return errors.Join(err, wrong)
		},
		"starter serve":        func(g config.Getenv) error { _, err := config.ForStarter(g); return err },
		"starter codec-server": func(g config.Getenv) error { _, err := config.ForCodec(g); return err },
	} {
		t.Run(who, func(t *testing.T) {
			var got, want []string
			_ = read(func(name string) string {
				if !strings.HasPrefix(name, "OTEL_") { // one row stands for all of them
					got = append(got, name)
				}
				return ""
			})
			for _, v := range config.Variables() {
				mine := v.Who == "all" || slices.Contains(strings.Split(v.Who, ", "), who)
				if !mine || strings.HasPrefix(v.Name, "TEMPORAL_") || strings.HasPrefix(v.Name, "OTEL_") {
					continue
				}
				want = append(want, v.Name)
				if v.Secret {
					want = append(want, v.Name+"_FILE")
				}
			}
			assert.ElementsMatch(t, want, got)
		})
	}
}

// A default that its own reader refuses would be found by the first operator, not by us.
func TestRowsAreComplete(t *testing.T) {
	for _, v := range config.Variables() {
		assert.NotEmpty(t, v.Meaning, v.Name)
		assert.NotEmpty(t, v.Who, v.Name)
		assert.NotContains(t, v.Meaning, "|", v.Name)
		assert.False(t, v.Secret && v.Default != config.Required && v.Default != "", "%s: a secret has no default", v.Name)
	}
}

// Each process shows the port that is its own, and text that a terminal can show.
func TestTheHelpOfAProcessIsItsOwn(t *testing.T) {
	for process, port := range map[string]string{"worker": "9464", "webhook": "9465", "starter serve": "9466"} {
		var out strings.Builder
		require.NoError(t, config.Usage([]string{"--help"}, &out, process, "Purpose."))
		assert.Regexp(t, `METRICS_ADDR +127\.0\.0\.1:`+port, out.String())
		assert.NotContains(t, out.String(), "](", "Markdown")
		assert.NotContains(t, out.String(), "`")
	}
}

// table renders Variables as the Markdown table of docs/reference/settings.md.
func table() string {
	var b strings.Builder
	b.WriteString("| variable | default | who | meaning |\n|---|---|---|---|\n")
	for _, v := range config.Variables() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", v.Name, shownDefault(v), v.Who, shownMeaning(v))
	}
	return b.String()
}

func shownDefault(v config.Variable) string {
	switch v.Default {
	case "":
		return "empty"
	case config.Required:
		return config.Required
	}
	return "`" + v.Default + "`"
}

func shownMeaning(v config.Variable) string {
	meaning := pagePath.ReplaceAllString(v.Meaning, "[$2](../$1/$2.md)")
	if v.Secret {
		return meaning + " Or `" + v.Name + "_FILE`."
	}
	return meaning
}

// pagePath finds the pages that a meaning names by their path from the root; the table links them from docs/reference.
var pagePath = regexp.MustCompile(`docs/([a-z]+)/([a-z-]+)\.md`)
