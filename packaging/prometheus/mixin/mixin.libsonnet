// A monitoring mixin: `(import 'mixin.libsonnet') + { _config+:: {...} }` has prometheusRules and prometheusAlerts.
(import 'config.libsonnet') + (import 'views.libsonnet') + (import 'verdicts.libsonnet') + (import 'alerts.libsonnet')
