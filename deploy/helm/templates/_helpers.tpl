{{/* What each process is: the same for everyone, so it is no value. docs/security.md says who holds which secret. */}}
{{- define "kyc.processes" -}}
worker: { args: [worker], needs: [DIDIT_API_KEY], may: [RESULT_URL, RESULT_SECRETS, PAYLOAD_KEYS] }
webhook: { args: [webhook], listen: WEBHOOK_ADDR, port: 8080, drains: true, needs: [DIDIT_WEBHOOK_SECRETS], may: [] }
api: { args: [starter, serve], listen: STARTER_ADDR, port: 8081, drains: true, needs: [STARTER_TOKENS], may: [PAYLOAD_KEYS] }
codec: { args: [starter, codec-server], listen: CODEC_ADDR, port: 8082, offline: true, needs: [CODEC_TOKENS], may: [PAYLOAD_KEYS] }
{{- end }}

{{/* The processes that are enabled, each with its values, as YAML. */}}
{{- define "kyc.enabled" -}}
{{- range $name, $process := include "kyc.processes" . | fromYaml }}
{{- $values := index $.Values.processes $name }}
{{- if $values.enabled }}
{{ $name }}: {{ merge $process (dict "name" $name "values" $values) | toJson }}
{{- end }}
{{- end }}
{{- end }}

{{- define "kyc.selector" -}}
app.kubernetes.io/name: didit-temporal
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "kyc.labels" -}}
{{ include "kyc.selector" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- define "kyc.metadata" -}}
name: {{ .root.Release.Name }}-{{ .name }}
labels: {{- include "kyc.labels" . | nindent 2 }}
{{- end }}

{{/* A pod that passes Pod Security's level "restricted". */}}
{{- define "kyc.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "kyc.container" -}}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{- define "kyc.image" -}}
{{ .repository }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{/* The secrets that a process gets, as YAML: variable, and name of its Secret. */}}
{{- define "kyc.secrets" -}}
{{- range .process.needs }}
{{ . }}: {{ get $.root.Values.secrets . | required (printf "secrets.%s is not set: name a Secret that has this key, for %s" . $.name) }}
{{- end }}
{{- range $variable := .process.may }}
{{- with get $.root.Values.secrets $variable }}
{{ $variable }}: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{/* The Secret with a process's credentials at Temporal; empty without authentication, and for a process that does not call it. */}}
{{- define "kyc.temporalSecret" -}}
{{- if not (or .process.offline (eq .root.Values.temporal.auth "none")) }}
{{- get .root.Values.temporal.secrets .name | required (printf "temporal.secrets.%s is not set: name the Secret with its credentials, or set temporal.auth to none" .name) }}
{{- end }}
{{- end }}

{{/* The environment of a process. */}}
{{- define "kyc.env" -}}
{{- $temporal := .root.Values.temporal }}
{{- if not .process.offline }}
- { name: TEMPORAL_ADDRESS, value: {{ $temporal.address | quote }} }
- { name: TEMPORAL_NAMESPACE, value: {{ $temporal.namespace | quote }} }
{{- with include "kyc.temporalSecret" . }}
{{- if eq $temporal.auth "apiKey" }}
- { name: TEMPORAL_API_KEY, valueFrom: { secretKeyRef: { name: {{ . }}, key: api-key } } } # it has no form with a file
{{- else }}
- { name: TEMPORAL_TLS_SERVER_CA_CERT_PATH, value: /run/secrets/temporal/ca.crt }
- { name: TEMPORAL_TLS_CLIENT_CERT_PATH, value: /run/secrets/temporal/tls.crt }
- { name: TEMPORAL_TLS_CLIENT_KEY_PATH, value: /run/secrets/temporal/tls.key }
{{- with $temporal.serverName }}
- { name: TEMPORAL_TLS_SERVER_NAME, value: {{ . | quote }} }
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- range $variable, $secret := include "kyc.secrets" . | fromYaml }}
- { name: {{ $variable }}_FILE, value: /run/secrets/kyc/{{ $variable }} }
{{- end }}
{{- end }}

{{- define "kyc.volumeMounts" -}}
{{- if include "kyc.secrets" . | fromYaml }}
- { name: secrets, mountPath: /run/secrets/kyc, readOnly: true }
{{- end }}
{{- if and (include "kyc.temporalSecret" .) (eq .root.Values.temporal.auth "mtls") }}
- { name: temporal, mountPath: /run/secrets/temporal, readOnly: true }
{{- end }}
{{- end }}

{{- define "kyc.volumes" -}}
{{- with include "kyc.secrets" . | fromYaml }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $variable, $secret := . }}
      - secret: { name: {{ $secret }}, items: [{ key: {{ $variable }}, path: {{ $variable }} }] }
      {{- end }}
{{- end }}
{{- if eq .root.Values.temporal.auth "mtls" }}
{{- with include "kyc.temporalSecret" . }}
- name: temporal
  secret: { secretName: {{ . }}, defaultMode: 0440 }
{{- end }}
{{- end }}
{{- end }}
