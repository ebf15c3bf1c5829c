import type { NextConfig } from 'next'

const headers = [
  { key: 'referrer-policy', value: 'same-origin' },
  { key: 'x-content-type-options', value: 'nosniff' },
]

export default {
  poweredByHeader: false,
  // The pages of the intake have theirs.
  headers: async () => [{ source: '/((?!intake/).*)', headers }],
  // The service that the agent signs up at: no part of an application.
  serverExternalPackages: ['@authmd/sandbox'],
  // `pnpm typecheck` checks them, with those of the tests.
  typescript: { ignoreBuildErrors: true },
  // Turbo keeps what was built.
  experimental: { turbopackFileSystemCacheForBuild: false },
} satisfies NextConfig
