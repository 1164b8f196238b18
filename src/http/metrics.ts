import type { RequestListener } from 'node:http'
import type { Metrics } from '../telemetry/metrics.ts'

/** Shows metrics, on a port of their own, which is not for the outside. */
export function showMetrics(metrics: Metrics): RequestListener {
  return (request, response) => {
    // Prometheus may send parameters.
    if (request.url?.split('?', 1)[0] !== '/metrics') return void response.writeHead(404).end()
    metrics.print().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      () => response.writeHead(500).end(),
    )
  }
}
