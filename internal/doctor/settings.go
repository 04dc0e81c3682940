package doctor

import (
	"slices"
	"strings"

	"didit-temporal/internal/config"
)

// settings reads the environment as the processes do.
func (e *checker) settings() {
	var worker, hook, starter error
	if e.wants("worker") {
		e.worker, worker = config.ForWorker(e.Getenv)
	}
	if e.wants("webhook") {
		e.hook, hook = config.ForWebhook(e.Getenv)
	}
	if e.wants("starter serve") && (e.Getenv("STARTER_TOKENS") != "" || e.Getenv("STARTER_TOKENS_FILE") != "") { // serving HTTP is optional
		e.starter, starter = config.ForStarter(e.Getenv)
	}
	mistakes := config.Mistakes(worker, hook, starter)
	for _, line := range mistakes {
		name, _, _ := strings.Cut(line, " ")
		name, _, _ = strings.Cut(name, "=")
		e.fail("settings", line, howToSet(name))
	}
	if len(mistakes) == 0 {
		e.ok("settings", e.defaults())
	}
}

func howToSet(name string) string {
	switch name {
	case "DIDIT_API_KEY", "DIDIT_WORKFLOW_ID", "DIDIT_WEBHOOK_SECRETS":
		return "`starter setup didit` reads it from Didit and writes it to an env file; or set " + name + " yourself"
	}
	return "correct " + name + ", or remove it to get its default; docs/reference/settings.md lists all variables"
}

// defaults names what is not set.
func (e *checker) defaults() string {
	var unset []string
	for _, v := range config.Variables() {
		mine := v.Who == "all" || slices.ContainsFunc(strings.Split(v.Who, ", "), func(who string) bool {
			return (who == "worker" || who == "webhook") && e.wants(who)
		})
		if mine && !strings.HasSuffix(v.Name, "*") && e.Getenv(v.Name) == "" && e.Getenv(v.Name+"_FILE") == "" {
			unset = append(unset, v.Name)
		}
	}
	if len(unset) == 0 {
		return "complete"
	}
	return "complete; unset, with their defaults: " + strings.Join(unset, ", ")
}
