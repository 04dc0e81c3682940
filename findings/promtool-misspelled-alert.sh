#!/bin/sh
# promtool 2.42.0 (Debian 12, package prometheus): "test rules" passes a test of an alert that no
# rule file has. A test that expects no alert keeps passing after its alert is renamed or removed,
# and a rule_files pattern that matches no file is only a warning.
. "$(dirname "$0")/common"

promtool --version 2>&1 | grep -q 'version 2\.42\.0' || { echo "this needs promtool 2.42.0"; exit 1; }
cat >rules.yml <<'Y'
groups:
- name: example
  rules:
  - {alert: Down, expr: up == 0, for: 5m}
Y

# silence RULES ALERT prints whether a test passes that expects no ALERT while up is 0.
silence() {
	cat >test.yml <<Y
rule_files: ["$1"]
tests:
- interval: 1m
  input_series: [{series: 'up{job="a"}', values: 0x20}]
  alert_rule_test: [{eval_time: 10m, alertname: $2, exp_alerts: []}]
Y
	if promtool test rules test.yml >out 2>&1; then echo passes; else echo fails; fi
}

expect "Down is silent: $(silence rules.yml Down)
Dwon is silent: $(silence rules.yml Dwon)
Down of no file is silent: $(silence 'missing*.yml' Down)" "Down is silent: fails
Dwon is silent: passes
Down of no file is silent: passes"
