/**
 * Modules that exist inside the build of a framework alone, or that are of use within a request alone. Better Auth only
 * tells names here, so each is there and holds nothing, except for what it says of the environment.
 */
export const frameworkModules: Record<string, unknown> = new Proxy(
  {},
  {
    has: (_, specifier) => typeof specifier === 'string' && isFrameworkModule(specifier),
    get: (_, specifier) => toModule(String(specifier)),
  },
)

export function isFrameworkModule(specifier: string): boolean {
  return FRAMEWORK.test(specifier) || ASSET.test(specifier)
}

const FRAMEWORK = new RegExp(
  `^(?:${[
    'server-only|client-only',
    // SvelteKit
    String.raw`\$(?:app|env)/.+|\$service-worker`,
    // Next.js
    String.raw`next/(?:headers|cache|navigation|server)(?:\.js)?`,
    // Nuxt and Nitro
    '#(?:imports|app|build|internal)(?:/.+)?|nuxt/app|nitropack/runtime(?:/.+)?',
    // Astro, Cloudflare, Bun, plug-ins of Vite
    '(?:astro|cloudflare|bun|virtual):.+|bun',
  ].join('|')})$`,
)
const ASSET =
  /\.(?:css|less|sass|scss|svg|png|jpe?g|gif|webp|avif|ico|woff2?|vue|svelte|astro)(?:\?.*)?$|\?(?:raw|url|inline|worker)$/

const ENVIRONMENT = /^(?:\$env\/|\$app\/env\/|astro:env\/)/

/** Whatever is imported from it, by any name. */
function toModule(specifier: string): object {
  if (ENVIRONMENT.test(specifier))
    return exporting((name) => {
      if (name === 'env') return process.env
      return name === 'getSecret' ? (key: string) => process.env[key] : process.env[name]
    })
  if (specifier === 'cloudflare:workers')
    return exporting((name) =>
      name === 'env' ? exporting((key) => process.env[key] ?? createNothing()) : createNothing(),
    )
  return exporting((name) => (FLAGS.has(name) ? false : createNothing()))
}

/** Of `$app/environment`. */
const FLAGS: ReadonlySet<string> = new Set(['browser', 'building', 'dev'])

function exporting(read: (name: string) => unknown): object {
  return new Proxy(
    {},
    {
      has: (_, name) => name !== 'then',
      get: (_, name) => (typeof name === 'symbol' || name === 'then' ? undefined : read(name)),
    },
  )
}

/** Can be called, constructed, extended and read at any depth, is empty as text and as a list, and is no promise. */
function createNothing(): object {
  return new Proxy(nothing, {
    get: (_, name) => {
      if (name === Symbol.toPrimitive || name === 'toString') return () => ''
      if (name === Symbol.iterator) return [].values.bind([])
      return typeof name === 'symbol' || name === 'then' ? undefined : createNothing()
    },
    apply: createNothing,
    construct: createNothing,
  })
}

function nothing() {}
