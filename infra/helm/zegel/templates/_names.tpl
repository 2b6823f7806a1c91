{{/* Names and labels. Selectors hold name, instance and component only: they can never change. */}}

{{- define "zegel.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 50 characters, so that a component's name still fits behind it. */}}
{{- define "zegel.fullname" -}}
{{- $name := include "zegel.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "zegel.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "zegel.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "zegel.labels" -}}
app.kubernetes.io/name: {{ include "zegel.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: zegel
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Takes (dict "root" $ "component" "signer"). */}}
{{- define "zegel.selectorLabels" -}}
app.kubernetes.io/name: {{ include "zegel.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Takes (dict "root" $ "component" "signer"). */}}
{{- define "zegel.componentLabels" -}}
{{ include "zegel.labels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "zegel.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The same for every pod, unlike a host name: a name that changed with each pod would let old forgeries through. */}}
{{- define "zegel.authservId" -}}
{{- default (printf "%s-signer.%s.svc" (include "zegel.fullname" .) .Release.Namespace) .Values.config.authservId -}}
{{- end -}}

{{/* "true" when KEDA scales the verifier; then nothing else may. */}}
{{- define "zegel.kedaActive" -}}
{{- if and .Values.verifier.keda.enabled (.Capabilities.APIVersions.Has "keda.sh/v1alpha1") -}}true{{- end -}}
{{- end -}}
