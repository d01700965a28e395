// Node's own clients by way of weir. Prints what they saw as one JSON object.

import {createHash} from 'node:crypto'
import {once} from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import tls from 'node:tls'

const {HTTP_PROXY, ORIGIN_HTTP, ORIGIN_HTTPS, REVERSE} = process.env
const proxy = new URL(HTTP_PROXY), secure = new URL(ORIGIN_HTTPS)
const content = 'piece of an upload\n'.repeat(1000)

const digest = data => createHash('sha256').update(data).digest('hex')

async function read(stream) {
	const parts = []
	for await (const part of stream) parts.push(part)
	return Buffer.concat(parts)
}

async function answer(request, body) {
	request.end(body)
	const [response] = await once(request, 'response')
	return [response, await read(response)]
}

// A request in absolute form, on a connection that is kept.
const agent = new http.Agent({keepAlive: true, maxSockets: 1})
async function plain(path, method = 'GET', body) {
	const request = http.request({agent, host: proxy.hostname, port: proxy.port, path: ORIGIN_HTTP + path, method})
	const [response, data] = await answer(request, body)
	return {data, length: response.headers['content-length'], reused: request.reusedSocket}
}

async function keptAlive() {
	const seen = []
	for (const method of ['GET', 'HEAD', 'POST']) {
		const got = await plain(method == 'POST' ? '/upload' : '/bytes/100', method, method == 'POST' ? content : undefined)
		seen.push(`${got.data.length} ${got.length}`)
		if (seen.length > 1 && !got.reused) seen.push('another connection')
	}
	return seen.join('|')
}

// TLS in a tunnel. NODE_EXTRA_CA_CERTS says whom to trust.
async function tunnel(protocol) {
	const request = http.request({host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: secure.host})
	request.end()
	const [, socket] = await once(request, 'connect')
	const conn = tls.connect({socket, host: secure.hostname, ALPNProtocols: [protocol]})
	await once(conn, 'secureConnect')
	return conn
}

async function overTLS(path, method = 'GET', body) {
	const conn = await tunnel('http/1.1')
	const [, data] = await answer(https.request(ORIGIN_HTTPS + path, {method, createConnection: () => conn}), body)
	conn.destroy()
	return data
}

async function overHTTP2() {
	const conn = await tunnel('h2')
	const session = http2.connect(ORIGIN_HTTPS, {createConnection: () => conn})
	const all = await Promise.all(Array.from({length: 10}, () => read(session.request({':path': '/bytes/10000'}))))
	session.close()
	return [...new Set(all.map(digest))].join('|')
}

// fetch knows of no proxy, and so meets weir as the server. The server sends each
// piece once the one before it was confirmed.
async function streamed() {
	const pieces = [], text = new TextDecoder()
	for await (const piece of (await fetch(REVERSE + '/live/stream')).body) {
		pieces.push(text.decode(piece))
		await fetch(REVERSE + '/live/ack/stream', {method: 'POST'})
	}
	return pieces.join('|')
}

// An upload of unknown length.
async function uploaded() {
	const body = new ReadableStream({
		start(c) {
			for (let i = 0; i < content.length; i += 999) c.enqueue(new TextEncoder().encode(content.slice(i, i + 999)))
			c.close()
		},
	})
	return (await fetch(REVERSE + '/upload', {method: 'POST', body, duplex: 'half'})).text()
}

// null where this Node has no WebSocket.
function socket() {
	if (typeof WebSocket == 'undefined') return null
	const said = [], ws = new WebSocket(REVERSE.replace('https', 'wss') + '/live/socket')
	ws.onopen = () => ws.send('hello hello hello')
	ws.onmessage = e => {
		said.push(typeof e.data == 'string' ? e.data : e.data.size + ' bytes')
		if (said.length == 1) ws.send(new Uint8Array(100000))
		else ws.close(3001, 'seen')
	}
	return new Promise(resolve => { ws.onclose = e => resolve(said.join('|') + ' ' + e.code) })
}

console.log(JSON.stringify({
	'http': digest((await plain('/bytes/10000')).data),
	'https': digest(await overTLS('/bytes/10000')),
	'http2': await overHTTP2(),
	'keep-alive': await keptAlive(),
	'upload in a tunnel': (await overTLS('/upload', 'POST', content)).toString(),
	'upload': await uploaded(),
	'stream': await streamed(),
	'socket': await socket(),
}))
agent.destroy()
