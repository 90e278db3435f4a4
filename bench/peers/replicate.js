// Seconds that PouchDB takes to replicate sales to a pouchdb-server: node replicate.js FOLDER URL SALES.jsonl
//
// One sale is one document. Batches are as large as the ones it is compared with; the default is 100.
const fs = require("node:fs");
const path = require("node:path");
const PouchDB = require("pouchdb");

const [folder, url, file] = process.argv.slice(2);

async function main() {
  const sales = fs.readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line));
  const local = new PouchDB(path.join(folder, "till"));
  for (let at = 0; at < sales.length; at += 1000) {
    await local.bulkDocs(sales.slice(at, at + 1000).map((sale) => ({ _id: sale.body.document, ...sale })));
  }
  const remote = new PouchDB(`${url}/sales`);
  await remote.info();
  const began = process.hrtime.bigint();
  const result = await local.replicate.to(remote, { batch_size: 2000, batches_limit: 2 });
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const held = (await remote.info()).doc_count;
  if (!result.ok || held !== sales.length) throw new Error(`${held} of ${sales.length} sales arrived`);
  console.log(seconds);
  process.exit(0);
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
