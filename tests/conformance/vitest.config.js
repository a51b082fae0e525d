import { defineConfig } from "vitest/config"

export default defineConfig({ test: { include: ["suite.test.js"], testTimeout: 30000, reporters: ["default"] } })
