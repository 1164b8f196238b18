import helper from '@prisma/generator-helper'
import fs from 'node:fs'
helper.generatorHandler({
  onManifest: () => ({ prettyName: 'Layout', defaultOutput: '.' }),
  async onGenerate(options) {
    fs.writeFileSync(options.generator.output.value + '/layout.ts', JSON.stringify(options.dmmf.datamodel.models, null, 1))
  },
})
