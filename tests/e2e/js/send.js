// SPDX-License-Identifier: Apache-2.0
// send.js http|proto none|gzip URL: a trace, a metric and a log record of the
// OpenTelemetry SDK for JavaScript, as an application sends them.  Ends with 1
// when an export failed; the reason is on stderr.
'use strict';
const [, , flavour, compression, url] = process.argv;
const exporter = (signal) =>
  require(`@opentelemetry/exporter-${signal}-otlp-${flavour}`);
const { OTLPTraceExporter } = exporter('trace');
const { OTLPMetricExporter } = exporter('metrics');
const { OTLPLogExporter } = exporter('logs');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BasicTracerProvider, SimpleSpanProcessor } =
  require('@opentelemetry/sdk-trace-base');
const { MeterProvider, PeriodicExportingMetricReader } =
  require('@opentelemetry/sdk-metrics');
const { LoggerProvider, SimpleLogRecordProcessor } =
  require('@opentelemetry/sdk-logs');

const secrets = { api_key: 'sk-123', user_email: 'ann@example.org', token: 't0p' };
const kept = { 'gen_ai.usage.input_tokens': 42, 'http.route': '/chat' };
const resource = resourceFromAttributes({ 'service.name': 'shop', ...secrets });
const to = (signal) => ({ url: `${url}/v1/${signal}`, compression, timeoutMillis: 30000 });

// What an exporter was told is the outcome; the SDK itself only logs it.
const outcomes = [];
function heard(exporter) {
  const original = exporter.export.bind(exporter);
  exporter.export = (items, done) => original(items, (result) => {
    outcomes.push(result);
    done(result);
  });
  return exporter;
}

async function main() {
  const spans = new BasicTracerProvider({
    resource,
    spanProcessors: [new SimpleSpanProcessor(heard(new OTLPTraceExporter(to('traces'))))],
  });
  const span = spans.getTracer('shop', '1.0').startSpan('checkout',
    { attributes: { ...secrets, ...kept, big: 2 ** 53 - 1, part: 0.5, yes: true } });
  span.addEvent('paid', { ...secrets, amount: 7 });
  span.end();

  const meters = new MeterProvider({
    resource,
    readers: [new PeriodicExportingMetricReader({
      exporter: heard(new OTLPMetricExporter(to('metrics'))), exportIntervalMillis: 3600000,
    })],
  });
  meters.getMeter('shop').createCounter('orders').add(3, { ...secrets, ...kept });
  meters.getMeter('shop').createHistogram('seconds').record(0.25);

  const logs = new LoggerProvider({ resource });
  logs.addLogRecordProcessor(
    new SimpleLogRecordProcessor(heard(new OTLPLogExporter(to('logs')))));
  logs.getLogger('shop').emit({
    severityNumber: 9, severityText: 'INFO', body: 'sold', attributes: { ...secrets, ...kept },
  });

  await Promise.all([spans.shutdown(), meters.shutdown(), logs.shutdown()]);
  const failed = outcomes.filter((result) => result.code !== 0);
  failed.forEach((result) => console.error(result.error));
  process.exitCode = failed.length || outcomes.length !== 3 ? 1 : 0;
}

main().catch((error) => { console.error(error); process.exitCode = 1; });
