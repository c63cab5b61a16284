{{- define "guestbook.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "guestbook.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* What people type is text, not markup. */}}
{{- define "guestbook.page" -}}
<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>{{ .Values.title | html }}</title>
  </head>
  <body>
    <h1>{{ .Values.title | html }}</h1>
    <p>{{ .Values.message | html | replace "\n" "<br>" }}</p>
  </body>
</html>
{{- end }}
