{{- define "vecsink.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "vecsink.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "vecsink.labels" -}}
{{ include "vecsink.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "vecsink.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "vecsink.name" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "vecsink.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{- printf "%s:%s%s" .Values.image.repository $tag (ternary "-gpu" "" .Values.gpu.enabled) -}}
{{- end -}}

{{- define "vecsink.connectorsConfigMap" -}}
{{- .Values.connectorsConfigMap | default (printf "%s-connectors" (include "vecsink.name" .)) -}}
{{- end -}}

{{- define "vecsink.graceSeconds" -}}
{{- add .Values.preStopSeconds .Values.shutdownTimeoutSeconds 20 -}}
{{- end -}}

{{/* As the usual Connect images spell a key: "_" for ".", "__" for "-", "___" for "_". */}}
{{- define "vecsink.variable" -}}
CONNECT_{{ . | replace "_" "\x00" | replace "-" "__" | replace "." "_" | replace "\x00" "___" | upper }}
{{- end -}}
