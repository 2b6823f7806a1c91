{{/*
The pod template that signer and verifier share. Takes a dict: root, component, settings (the component's values), env, ports,
volumeMounts and volumes (lists of what only this component has).
*/}}
{{- define "zegel.podTemplate" -}}
{{- $root := .root -}}
{{- $settings := .settings -}}
metadata:
  labels:
    {{- include "zegel.componentLabels" . | nindent 4 }}
    {{- with $settings.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include (print $root.Template.BasePath "/configmap.yaml") $root | sha256sum }}
    {{- with $settings.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "zegel.serviceAccountName" $root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $settings.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  # The sleep before SIGTERM, what is in flight, and 15 seconds to flush and exit.
  terminationGracePeriodSeconds: {{ add $settings.preStopSleepSeconds $settings.shutdownGraceSeconds 15 }}
  securityContext:
    {{- include "zegel.podSecurityContext" $root | nindent 4 }}
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "zegel.selectorLabels" $ | nindent 10 }}
      matchLabelKeys: [pod-template-hash]
    {{- end }}
  {{- with $settings.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $settings.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $settings.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ include "zegel.image" $root | quote }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      command:
        - node
        - --conditions=compiled
        - --enable-source-maps
        - /app/services/{{ .component }}/dist/main.js
      securityContext:
        {{- include "zegel.containerSecurityContext" $root | nindent 8 }}
      envFrom:
        - configMapRef:
            name: {{ include "zegel.fullname" $root }}
      env:
        # The other half of the memory is for message bytes, which lie outside the heap.
        - name: NODE_OPTIONS
          value: --max-old-space-size-percentage=50
        - name: ZEGEL_SHUTDOWN_GRACE_MS
          value: {{ mul $settings.shutdownGraceSeconds 1000 | quote }}
        - name: REDIS_URL
          valueFrom:
            secretKeyRef:
              name: {{ $root.Values.secrets.redisUrl.existingSecret }}
              key: {{ $root.Values.secrets.redisUrl.key }}
        - name: DATABASE_URL
          valueFrom:
            secretKeyRef:
              name: {{ $root.Values.secrets.databaseUrl.existingSecret }}
              key: {{ $root.Values.secrets.databaseUrl.key }}
        {{- with .env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        {{- with .ports }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        - name: metrics
          containerPort: 9464
      # Alive means that the event loop turns. A lost store is no reason to restart, and may be one not to be ready.
      startupProbe:
        httpGet: { path: /healthz, port: metrics }
        periodSeconds: 2
        failureThreshold: 30
      livenessProbe:
        httpGet: { path: /healthz, port: metrics }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: { path: /readyz, port: metrics }
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 2
      lifecycle:
        preStop:
          sleep:
            seconds: {{ $settings.preStopSleepSeconds }}
      resources:
        {{- toYaml $settings.resources | nindent 8 }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        - name: data
          mountPath: /data
        {{- with .volumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: tmp
      emptyDir:
        sizeLimit: 64Mi
    - name: data
      {{- if $root.Values.persistence.existingClaim }}
      persistentVolumeClaim:
        claimName: {{ $root.Values.persistence.existingClaim }}
      {{- else }}
      emptyDir:
        sizeLimit: 64Mi
      {{- end }}
    {{- with .volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{- define "zegel.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "zegel.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
