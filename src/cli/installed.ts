/** What a command needs and nobody else is no part of the npm package, or of its dependencies. */
export async function whereInstalled<Module>(
  loading: Promise<Module>,
  command: string,
): Promise<Module> {
  try {
    return await loading
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'))
      throw error
    throw new Error(
      `This installation lacks what ${command} needs: run \`npm ci && npm run ${command}\` in a clone of the repository.`,
      { cause: error },
    )
  }
}
