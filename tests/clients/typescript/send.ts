// Says that an order was received, with the types that openapi-typescript makes: address, token, id and day are its arguments.
import createClient from "openapi-fetch";
import type { paths } from "./orders.js";

const [address, token, id, day] = process.argv.slice(2) as [string, string, string, string];
const client = createClient<paths>({ baseUrl: address, headers: { Authorization: `Bearer ${token}` } });
const { data, error, response } = await client.POST("/v1/events", {
  body: {
    specversion: "1.0",
    id,
    source: "/authorities/S12000005/systems/typescript",
    type: "scot.payback.order.received.v1",
    subject: "CPO/17",
    time: "2026-03-04T09:30:00Z",
    data: { received_on: day },
  },
  headers: { "Content-Type": "application/cloudevents+json" },
});
console.log(data ? `${data.accepted} accepted, ${data.receipts[0]?.topic}` : `${response.status} ${JSON.stringify(error)}`);
