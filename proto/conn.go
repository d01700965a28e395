package flowpb

// AllCertificates are those that the peer of c showed, and last the one that was presented
// to it, if any was.
func (c *Conn) AllCertificates() []*Certificate {
	all := c.GetTls().GetCertificates()
	if p := c.GetTls().GetPresented(); p != nil {
		all = append(all[:len(all):len(all)], p)
	}
	return all
}
