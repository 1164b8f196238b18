import { setMaxListeners } from 'node:events'
import type { GatewayError } from '../domain/errors.ts'

/** An AbortController that is made when somebody asks for its signal, which few requests do. */
export class Ending {
  #reason: GatewayError | undefined
  #controller: AbortController | undefined

  /** Whether it came early. */
  get isEarly(): boolean {
    return this.#reason !== undefined
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      // Every statement of a request listens for its end.
      setMaxListeners(0, this.#controller.signal)
      if (this.#reason) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** The first reason counts. */
  abort(reason: GatewayError): void {
    this.#reason ??= reason
    this.#controller?.abort(this.#reason)
  }
}
