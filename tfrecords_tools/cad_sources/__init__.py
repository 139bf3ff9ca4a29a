"""Where CADs come from: Sweet Home 3D, Pix3D, ShapeNet, plain folders."""
