/** As package.json has it, which is not there in a bundle. A test compares them. */
export const version = '0.1.0'
