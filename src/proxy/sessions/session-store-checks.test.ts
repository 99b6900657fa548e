import { expect, test } from 'vitest'
import { proxyConfigSchema } from '../config.ts'

const minimal = {
  client_id: 'platform',
  client_secret: 'secret',
  oidc_issuer_url: 'https://sso.example.com',
  cookie_secret: '3f9a1c7e5b2d8046a7c9e1f3052b4d68',
  email_domains: ['*'],
  redirect_url: 'https://app.example.com/oauth2/callback',
}

/** Keys and messages of what is wrong with these settings. */
function problemsOf(settings: Readonly<Record<string, unknown>>): string[] {
  const parsed = proxyConfigSchema.safeParse({ ...minimal, ...settings })
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

test.each([
  { session_store_type: 'cookie' },
  { session_store_type: 'sqlite' },
  { session_store_type: 'redis', redis_connection_url: 'redis://cache:6379/1' },
  { session_store_type: 'cookie', redis_connection_url: 'unix:///run/redis.sock' },
  {
    session_store_type: 'redis',
    redis_use_sentinel: true,
    redis_sentinel_master_name: 'platform',
    redis_sentinel_connection_urls: ['redis://a:26379', 'redis://b:26379'],
  },
  { session_store_type: 'redis', redis_use_cluster: true, redis_cluster_connection_urls: ['rediss://a:6379'] },
])('%o is a store', (settings) => {
  expect(problemsOf(settings)).toEqual([])
})

test.each([
  [{ session_store_type: 'memcached' }, /session_store_type: unknown store `memcached`.*`cookie`, `sqlite`, `redis`/],
  [{ session_store_type: 'redis' }, /redis_connection_url: is missing/],
  [{ session_store_type: 'redis', redis_connection_url: 'cache:6379' }, /must start with `redis:\/\/`/],
  [
    { redis_use_sentinel: true, redis_use_cluster: true, redis_sentinel_master_name: 'm' },
    /redis_use_cluster: cannot be combined/,
  ],
  [
    { redis_use_sentinel: true, redis_sentinel_connection_urls: ['redis://a'] },
    /redis_sentinel_master_name: is missing/,
  ],
  [{ redis_use_cluster: true }, /redis_cluster_connection_urls: is missing/],
  [{ session_cookie_minimal: true, cookie_refresh: '1h' }, /session_cookie_minimal: drops the tokens/],
])('%o is refused, with what would do', (settings, message) => {
  expect(problemsOf(settings).join('\n')).toMatch(message)
})

test('no problem repeats a password', () => {
  const problems = problemsOf({ session_store_type: 'redis', redis_connection_url: 'redis://u:hunter2@cache/x' })
  expect(problems).toHaveLength(1)
  expect(problems.join()).not.toContain('hunter2')
})
